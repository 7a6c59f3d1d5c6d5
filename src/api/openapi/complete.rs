//! What is added to the words and types of the source, which are written for its readers.

use utoipa::openapi::{
    Components, OpenApi, RefOr, Required,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn, ParameterStyle},
    response::Response as Answer,
    schema::{AllOf, Schema},
};

use super::{Configured, name_in, values};

/// Where rustdoc tells what fails; the answers of an operation tell it here.
const ERRORS: &str = "# Errors";
/// The schema whose fields are answered as somebody asks for them.
const CHOSEN: &str = "ShownUser";

/// What is answered has all its fields, be they empty, where nobody has chosen some.
pub(super) fn answer_whole_things(api: &OpenApi, components: &mut Components) {
    let asked: Vec<String> = api
        .paths
        .paths
        .values()
        .filter_map(|item| item.post.as_ref()?.request_body.as_ref())
        .filter_map(|body| if let RefOr::T(body) = body { Some(body) } else { None })
        .flat_map(|body| body.content.values())
        .filter_map(|content| if let RefOr::T(content) = content { content.schema.as_ref() } else { None })
        .filter_map(
            |schema| if let RefOr::Ref(to) = schema { Some(name_in(&to.ref_location).to_owned()) } else { None },
        )
        .collect();
    let answered = components.schemas.iter_mut().filter(|(name, _)| *name != CHOSEN && !asked.contains(name));
    for (_, schema) in answered {
        match schema {
            RefOr::T(Schema::Object(object)) => object.required = object.properties.keys().cloned().collect(),
            RefOr::T(Schema::AllOf(AllOf { items, .. })) => {
                for item in items {
                    if let RefOr::T(Schema::Object(object)) = item {
                        object.required = object.properties.keys().cloned().collect();
                    }
                }
            }
            _ => {}
        }
    }
}

/// Lines as they stand in the source become paragraphs.
pub(super) fn tidy_words(operation: &mut Operation) {
    let joined = |text: &str| text.split("\n\n").map(|part| part.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
    let described = |text: &String| joined(text.split(ERRORS).next().unwrap_or_default().trim());
    operation.summary = operation.summary.as_deref().map(|text| joined(text).trim_end_matches('.').to_owned());
    operation.description = operation.description.as_ref().map(described).filter(|text| !text.is_empty());
}

/// Puts the schemas of parameters where they stand, and adds the parts of the path.
pub(super) fn complete_parameters((path, configured): (&str, &Configured), operation: &mut Operation) {
    let known = values::in_addresses();
    let own = operation.parameters.take().unwrap_or_default();
    let is_own = |name: &str| own.iter().any(|it| if let RefOr::T(it) = it { it.name == name } else { false });
    let in_path = in_path(path, configured).filter(|parameter| !is_own(&parameter.name));
    let mut parameters: Vec<RefOr<Parameter>> = in_path.map(RefOr::T).collect();
    for mut parameter in own {
        if let RefOr::T(parameter) = &mut parameter {
            parameter.description = parameter.description.as_deref().map(|text| text.replace('\n', " "));
            if let Some(RefOr::Ref(to)) = &parameter.schema {
                parameter.schema = known.get(name_in(&to.ref_location)).cloned();
            }
            if parameter.style == Some(ParameterStyle::DeepObject) {
                parameter.explode = Some(true);
            }
        }
        parameters.push(parameter);
    }
    operation.parameters = Some(parameters).filter(|parameters| !parameters.is_empty());
}

fn in_path(path: &str, configured: &Configured) -> impl Iterator<Item = Parameter> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    // Browsers are never answered an error, but led to a page.
    let is_for_browsers = path.starts_with("/auth/signin/") || path.starts_with("/auth/callback/");
    names.map(move |name| {
        let (about, schema) = match name {
            "actor_type" => ("What kind of account it is for.", values::one_of(&configured.actor_types)),
            "provider" if is_for_browsers => {
                ("By which provider; an unknown one leads to the log-in page.", values::provider_in_path())
            }
            "provider" => ("By which provider.", values::one_of(&configured.providers)),
            _ => ("The id.", values::id_in_path()),
        };
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(schema))
            .build()
    })
}

/// An empty body is `{}`, so that one is asked for only where a field is.
pub(super) fn require_bodies(components: &Components, operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    let schemas =
        body.content.values().filter_map(|content| if let RefOr::T(it) = content { it.schema.as_ref() } else { None });
    let asks = |schema: &RefOr<Schema>| match schema {
        RefOr::Ref(to) => match components.schemas.get(name_in(&to.ref_location)) {
            Some(RefOr::T(Schema::Object(object))) => !object.required.is_empty(),
            _ => false,
        },
        RefOr::T(_) => false,
    };
    body.required = Some(if schemas.into_iter().any(asks) { Required::True } else { Required::False });
}

/// What is answered is described by its type, unless the operation says more.
pub(super) fn name_answers(components: &Components, operation: &mut Operation) {
    for answer in operation.responses.responses.values_mut() {
        let RefOr::T(Answer { description, content, .. }) = answer else { continue };
        let schema =
            content.values().find_map(|content| if let RefOr::T(it) = content { it.schema.as_ref() } else { None });
        if let (true, Some(RefOr::Ref(to))) = (description.is_empty(), schema) {
            *description = words_of(components.schemas.get(name_in(&to.ref_location))).unwrap_or_default();
        }
    }
}

fn words_of(schema: Option<&RefOr<Schema>>) -> Option<String> {
    match schema? {
        RefOr::T(Schema::Object(object)) => object.description.clone(),
        RefOr::T(Schema::OneOf(one)) => one.description.clone(),
        RefOr::T(Schema::AllOf(all)) => all.description.clone(),
        _ => None,
    }
    .map(|words| words.replace('\n', " "))
}
