//! Types in words: what a value is, its limits, and the fields of those that have some.

#![expect(clippy::needless_pass_by_value, reason = "a component owns its props, and they are passed by name")]

use leptos::prelude::*;
use serde_json::Value;

use super::document::{Components, Schema, name_in};
use crate::web::ui::{Cell, Header, Prose, Row, Table};

/// A type with its fields.
#[component]
pub fn SchemaView(name: String, schema: Schema, components: Components) -> impl IntoView {
    let id = place_of(&name);
    view! {
        <section class="operation" id=id>
            <h3>{name.clone()}</h3>
            <Prose text=schema.description.clone() />
            <Fields caption=format!("Fields of {name}") schema=schema components=components required="always" />
        </section>
    }
}

/// The fields of a schema, or what it is a choice of.
#[component]
pub fn Fields(
    caption: String,
    schema: Schema,
    components: Components,
    /// What stands beside a field that must be there, or always is.
    required: &'static str,
) -> AnyView {
    let parts: Vec<&Schema> = schema.all_of.iter().collect();
    if !schema.one_of.is_empty() {
        let choices = schema.one_of.iter().map(|choice| {
            let kind = type_of(choice, &components);
            view! { <li>{kind}</li> }
        });
        let choices = choices.collect_view();
        return view! { <ul class="choices">{choices}</ul> }.into_any();
    }
    let mut rows = rows_of(&schema, &components, required);
    for part in parts {
        let named = part.named.as_deref().and_then(|named| components.schema(named));
        rows.extend(rows_of(named.unwrap_or(part), &components, required));
    }
    let headers = || {
        view! {
            <Header text="Field" />
            <Header text="Type" />
            <Header text="Meaning" />
        }
    };
    view! { <Table caption=caption headers=headers>{rows}</Table> }.into_any()
}

fn rows_of(schema: &Schema, components: &Components, required: &'static str) -> Vec<AnyView> {
    schema
        .properties
        .0
        .iter()
        .map(|(name, field)| {
            let (name, mark) = (name.clone(), is_marked(schema, (name, required)).then_some(required));
            let (kind, meaning) = (type_of(field, components), meaning_of(field));
            view! {
                <Row>
                    <Cell><Named name=name mark=mark /></Cell>
                    <Cell label="Type">{kind}</Cell>
                    <Cell label="Meaning"><Prose text=meaning /></Cell>
                </Row>
            }
            .into_any()
        })
        .collect()
}

/// Where every field of an answer is always there, it goes without saying.
fn is_marked(schema: &Schema, (name, mark): (&String, &str)) -> bool {
    let is_said = mark == "required" || schema.required.len() < schema.properties.0.len();
    is_said && schema.required.contains(name)
}

/// The name of a field or a parameter.
#[component]
pub fn Named(name: String, mark: Option<&'static str>) -> impl IntoView {
    view! {
        <code class="field-name">{name}</code>
        {mark.map(|mark| view! { <span class="detail">" "{mark}</span> })}
    }
}

/// What stands beside a type, or beside that of which it may also be none.
fn meaning_of(schema: &Schema) -> String {
    let inner = schema.one_of.iter().find(|choice| !choice.description.is_empty());
    match inner {
        Some(inner) if schema.description.is_empty() => inner.description.clone(),
        _ => schema.description.clone(),
    }
}

/// The type of a value, with a link where it has a place of its own.
pub fn type_of(schema: &Schema, components: &Components) -> AnyView {
    if let Some(reference) = &schema.named {
        let name = name_in(reference).to_owned();
        return match components.schema(reference) {
            Some(known) if !components.has_place(&name) => type_of(known, components),
            _ => {
                let href = format!("#{}", place_of(&name));
                view! { <a href=href>{name}</a> }.into_any()
            }
        };
    }
    if let Some(items) = &schema.items {
        return ("list of ", type_of(items, components)).into_any();
    }
    let choices: Vec<&Schema> = schema.one_of.iter().chain(&schema.any_of).collect();
    if !choices.is_empty() {
        let parts = choices
            .into_iter()
            .enumerate()
            .map(|(place, choice)| ((place > 0).then_some(" or "), type_of(choice, components)).into_any());
        return parts.collect_view().into_any();
    }
    in_words(schema).into_any()
}

/// A plain type with its limits, such as "text, at most 100 characters".
fn in_words(schema: &Schema) -> String {
    if !schema.values.is_empty() {
        let values = schema.values.iter().map(shown);
        return values.collect::<Vec<_>>().join(" · ");
    }
    let mut words = vec![kinds_of(schema)];
    match (schema.min_length, schema.max_length) {
        (Some(least), Some(most)) if least > 1 => words.push(format!("{least} to {most} characters")),
        (_, Some(most)) => words.push(format!("at most {most} characters")),
        _ => {}
    }
    match (&schema.minimum, &schema.maximum) {
        (Some(least), Some(most)) => words.push(format!("{least} to {most}")),
        (Some(least), None) if *least != 0 => words.push(format!("at least {least}")),
        _ => {}
    }
    words.extend(schema.max_items.map(|most| format!("at most {most}")));
    words.extend(schema.default.as_ref().map(|default| format!("{} where nothing is said", shown(default))));
    words.join(", ")
}

fn kinds_of(schema: &Schema) -> String {
    let one = |kind: &str| match (kind, schema.format.as_deref()) {
        ("string", Some("date-time")) => "time",
        ("string", Some("date")) => "day",
        ("string", Some("email")) => "e-mail address",
        ("string", _) => "text",
        ("integer", _) => "whole number",
        ("boolean", _) => "true or false",
        ("null", _) => "null",
        ("object", _) => "object",
        _ => "anything",
    };
    match &schema.kind {
        Some(Value::String(kind)) => one(kind).to_owned(),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).map(one).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    }
}

/// Text without its quotes, anything else as JSON.
pub fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Where a type stands on the page.
fn place_of(name: &str) -> String {
    format!("type-{name}")
}
