//! One operation: what it does, who may ask, what goes in and what comes out, with an example of each.

#![expect(clippy::needless_pass_by_value, reason = "a component owns its props, and they are passed by name")]

use leptos::prelude::*;
use serde_json::Value;

use super::{
    document::{Answer, Components, Content, Operation, Parameter},
    schema::{Fields, Named, shown, type_of},
};
use crate::web::ui::{Badge, Cell, CodeBlock, Header, Prose, Row, Table, Tone};

/// One operation.
#[component]
pub fn OperationView(operation: Operation, components: Components, site: String) -> impl IntoView {
    let id = operation.id();
    let here = format!("#{id}");
    let example = curl(&operation, &site);
    let answer = example_answer(&operation);
    let audience = audience(&operation);
    let parameters = parameters(&operation, &components);
    let body = body(&operation, &components);
    let answers = answers(&operation, &components);
    view! {
        <section class="operation" id=id>
            <h3>
                <a class="address" href=here>
                    <span class="method">{operation.method.clone()}</span>
                    " "
                    <code>{breakable(&operation.path)}</code>
                </a>
            </h3>
            <p class="operation-summary">{operation.summary.clone()}"."</p>
            <Prose text=operation.description.clone() />
            <p class="audience">{audience}</p>
            {parameters}
            {body}
            <h4>"Answers"</h4>
            {answers}
            <h4>"Example"</h4>
            <CodeBlock label="Request" text=example />
            {answer.map(|text| view! { <CodeBlock label="Answer" text=text /> })}
        </section>
    }
}

/// A path that may be broken before each of its parts.
fn breakable(path: &str) -> impl IntoView + use<> {
    let parts: Vec<String> = path.split_inclusive('/').map(str::to_owned).collect();
    parts.into_iter().map(|part| view! { {part}<wbr /> }).collect_view()
}

fn audience(operation: &Operation) -> impl IntoView + use<> {
    let named = |way: &str| match way {
        "token" => "bearer token",
        "session" => "cookie",
        "reset_token" => "secret of a mailed link, as bearer token",
        _ => "other",
    };
    let ways: Vec<&str> = operation.known_by().into_iter().map(named).collect();
    let is_for_managers = operation.responses.find("403").is_some() && operation.path.starts_with("/admin/");
    let is_for_managers = is_for_managers && !operation.is_open() && operation.responses.find("429").is_none();
    let (tone, who) = match (operation.is_open(), is_for_managers) {
        (true, _) => (Tone::Good, "Open to everybody"),
        (false, true) => (Tone::Accent, "Admins"),
        (false, false) => (Tone::Neutral, "Who is known"),
    };
    let by = (!ways.is_empty()).then(|| format!(" by {}", ways.join(" or ")));
    view! { <Badge tone=tone text=who />{by} }
}

fn parameters(operation: &Operation, components: &Components) -> Option<AnyView> {
    if operation.parameters.is_empty() {
        return None;
    }
    let rows = operation.parameters.iter().cloned();
    let rows = rows.map(|it| view! { <ParameterRow parameter=it components=components.clone() /> }).collect_view();
    let headers = || {
        view! {
            <Header text="Name" />
            <Header text="Type" />
            <Header text="Meaning" />
        }
    };
    let caption = format!("Parameters of {} {}", operation.method, operation.path);
    Some(view! { <h4>"Parameters"</h4><Table caption=caption headers=headers>{rows}</Table> }.into_any())
}

#[component]
fn ParameterRow(parameter: Parameter, components: Components) -> impl IntoView {
    let mark = match (parameter.place.as_str(), parameter.required) {
        ("path", _) => Some("in the path"),
        (_, true) => Some("required"),
        (_, false) => None,
    };
    let operators: Vec<String> = parameter.schema.properties.0.iter().map(|(name, _)| format!("[{name}]")).collect();
    let type_of_it = if operators.is_empty() {
        type_of(&parameter.schema, &components)
    } else {
        view! { "time, with "<code>{operators.join(" ")}</code> }.into_any()
    };
    let more = if operators.is_empty() { String::new() } else { format!(" {}", parameter.schema.description) };
    view! {
        <Row>
            <Cell><Named name=parameter.name mark=mark /></Cell>
            <Cell label="Type">{type_of_it}</Cell>
            <Cell label="Meaning"><Prose text=format!("{}{more}", parameter.description) /></Cell>
        </Row>
    }
}

fn body(operation: &Operation, components: &Components) -> Option<AnyView> {
    let body = operation.request_body.as_ref()?;
    let kinds: Vec<&str> = body.content.0.iter().map(|(kind, _)| kind.as_str()).collect();
    let kinds = kinds.join(" or ");
    let (_, Content { schema, .. }) = body.content.0.first()?;
    let schema = schema.as_ref()?;
    let known = schema.named.as_deref().and_then(|named| components.schema(named)).unwrap_or(schema).clone();
    let caption = format!("Body of {} {}", operation.method, operation.path);
    let about = known.description.clone();
    Some(
        view! {
            <h4>"Body"<span class="detail">" "{kinds}</span></h4>
            <Prose text=about />
            <Fields caption=caption schema=known components=components.clone() required="required" />
        }
        .into_any(),
    )
}

fn answers(operation: &Operation, components: &Components) -> AnyView {
    let (common, own): (Vec<_>, Vec<_>) =
        operation.responses.0.iter().cloned().partition(|(_, answer)| answer.named.is_some());
    let rows = own.into_iter().map(|(status, answer)| {
        view! { <AnswerRow status=status answer=answer components=components.clone() /> }
    });
    let rows = rows.collect_view();
    let headers = || {
        view! {
            <Header text="Status" />
            <Header text="Body" />
            <Header text="When" />
        }
    };
    let caption = format!("Answers of {} {}", operation.method, operation.path);
    let common: Vec<String> = common.into_iter().map(|(status, _)| status).collect();
    let common = (!common.is_empty()).then(|| {
        let statuses = common.join(", ");
        view! { <p class="common">"And as every other: "<a href="#refusals">{statuses}</a></p> }
    });
    view! {
        <Table caption=caption headers=headers>{rows}</Table>
        {common}
    }
    .into_any()
}

#[component]
fn AnswerRow(status: String, answer: Answer, components: Components) -> impl IntoView {
    let kind = answer.content.0.first().and_then(|(_, content)| content.schema.clone());
    let body = kind.map_or_else(|| view! { "none" }.into_any(), |schema| type_of(&schema, &components));
    let headers: Vec<String> =
        answer.headers.0.iter().map(|(name, header)| format!("`{name}`: {}.", header.description)).collect();
    let when = format!("{} {}", with_full_stop(&answer.description), headers.join(" "));
    let tone = if status.starts_with(['2', '3']) { Tone::Good } else { Tone::Neutral };
    view! {
        <Row>
            <Cell><Badge tone=tone text=status /></Cell>
            <Cell label="Body">{body}</Cell>
            <Cell label="When"><Prose text=when /></Cell>
        </Row>
    }
}

fn with_full_stop(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '`']) && text.trim_end_matches('`').ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// The request as somebody types it.
fn curl(operation: &Operation, site: &str) -> String {
    let mut path = operation.path.clone();
    let mut query = Vec::new();
    for parameter in &operation.parameters {
        let example = parameter.example.as_ref().or_else(|| parameter.schema.examples.first());
        let Some(example) = example.map(shown) else { continue };
        if parameter.place == "path" {
            path = path.replace(&format!("{{{}}}", parameter.name), &example);
        } else if parameter.required || matches!(parameter.name.as_str(), "q" | "limit") {
            query.push(format!("{}={example}", parameter.name));
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    // What `curl` guesses by itself.
    let is_guessed = match operation.method.as_str() {
        "GET" => true,
        "POST" => operation.request_body.is_some(),
        _ => false,
    };
    let mut lines = vec![if is_guessed { "curl".to_owned() } else { format!("curl -X {}", operation.method) }];
    match operation.known_by().first() {
        Some(&"reset_token") => lines.push("-H \"Authorization: Bearer $SECRET\"".to_owned()),
        Some(&"token") => lines.push("-H \"Authorization: Bearer $TOKEN\"".to_owned()),
        Some(_) => lines.push("-b cookies.txt".to_owned()),
        None => {}
    }
    if let Some((kind, content)) = operation.request_body.as_ref().and_then(|body| body.content.0.first()) {
        lines.push(format!("-H 'Content-Type: {kind}'"));
        lines.push(format!("-d '{}'", content.example.clone().unwrap_or_default()));
    }
    lines.push(format!("'{site}{path}{query}'"));
    lines.join(" \\\n    ")
}

/// What is answered where all goes well.
fn example_answer(operation: &Operation) -> Option<String> {
    let (_, answer) = operation.responses.0.iter().find(|(status, _)| status.starts_with('2'))?;
    let (_, content) = answer.content.0.first()?;
    let example = content.example.as_ref()?;
    match example {
        Value::String(text) => Some(text.clone()),
        example => serde_json::to_string_pretty(example).ok(),
    }
}

/// How every operation refuses.
#[component]
pub fn Refusals(refusals: Vec<(String, Answer)>) -> impl IntoView {
    let rows = refusals.into_iter().map(|(status, answer)| {
        let example = answer.content.0.first().and_then(|(_, content)| content.example.clone()).unwrap_or_default();
        let headers: Vec<String> = answer.headers.0.iter().map(|(name, _)| name.clone()).collect();
        let with = if headers.is_empty() { String::new() } else { format!(", with `{}`", headers.join("`, `")) };
        view! {
            <Row>
                <Cell><Badge tone=Tone::Neutral text=status /></Cell>
                <Cell label="When"><Prose text=format!("{}{with}.", answer.description) /></Cell>
                <Cell><code>{example.to_string()}</code></Cell>
            </Row>
        }
    });
    let rows = rows.collect_view();
    let headers = || {
        view! {
            <Header text="Status" />
            <Header text="When" />
            <Header text="Body" />
        }
    };
    view! { <Table caption="Refusals" headers=headers>{rows}</Table> }
}
