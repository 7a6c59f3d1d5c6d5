//! Examples of whole bodies and answers, put together from those of their fields, so that there is one place for each.

use serde_json::{Map, Value};
use utoipa::openapi::{
    Components, Content, RefOr,
    path::Operation,
    schema::{AnyOf, Object, OneOf, Schema, SchemaType, Type},
};

use super::name_in;

/// Fields that say something else in an example than their type does: what has not happened, and another word.
const APART: [(&str, &str); 5] =
    [("disabled_at", ""), ("accepted_at", ""), ("accepted_by", ""), ("revoked_at", ""), ("last_name", "Lovelace")];

/// Gives each body and each answer of an operation that has none an example.
pub(super) fn add(components: &Components, operation: &mut Operation) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content.values_mut().for_each(|content| complete(components, content));
    }
    for answer in operation.responses.responses.values_mut() {
        if let RefOr::T(answer) = answer {
            answer.content.values_mut().for_each(|content| complete(components, content));
        }
    }
}

fn complete(components: &Components, content: &mut RefOr<Content>) {
    let RefOr::T(content) = content else { return };
    if content.example.is_none() {
        content.example = content.schema.as_ref().and_then(|schema| example_of(components, schema));
    }
}

/// The example that a schema has itself, else one of its parts.
fn example_of(components: &Components, schema: &RefOr<Schema>) -> Option<Value> {
    match schema {
        RefOr::Ref(to) => example_of(components, components.schemas.get(name_in(&to.ref_location))?),
        RefOr::T(Schema::Object(object)) => of_object(components, object),
        RefOr::T(Schema::Array(array)) => match &array.items {
            utoipa::openapi::schema::ArrayItems::RefOrSchema(items) => {
                Some(vec![example_of(components, items)?].into())
            }
            utoipa::openapi::schema::ArrayItems::False => None,
        },
        RefOr::T(Schema::OneOf(OneOf { items, example, examples, .. })) => {
            let own = example.clone().or_else(|| examples.first().cloned());
            own.or_else(|| items.iter().filter(|item| !is_null(item)).find_map(|item| example_of(components, item)))
        }
        RefOr::T(Schema::AnyOf(AnyOf { items, example, .. })) => {
            example.clone().or_else(|| items.iter().find_map(|item| example_of(components, item)))
        }
        RefOr::T(Schema::AllOf(all)) => {
            let parts = all.items.iter().filter_map(|item| example_of(components, item));
            let fields = parts.filter_map(|part| if let Value::Object(fields) = part { Some(fields) } else { None });
            Some(Value::Object(fields.flatten().collect()))
        }
        RefOr::T(_) => None,
    }
}

fn of_object(components: &Components, object: &Object) -> Option<Value> {
    let own = object.example.clone().or_else(|| object.examples.first().cloned());
    let first = || object.enum_values.as_ref().and_then(|values| values.first().cloned());
    own.or_else(first).or_else(|| {
        let of_field = |(name, field): (&String, &RefOr<Schema>)| {
            let value = match APART.iter().find(|(apart, _)| apart == name) {
                Some((_, "")) => Value::Null,
                Some((_, word)) => Value::from(*word),
                None => example_of(components, field)?,
            };
            Some((name.clone(), value))
        };
        let fields: Map<String, Value> = object.properties.iter().filter_map(of_field).collect();
        matches!(object.schema_type, SchemaType::Type(Type::Object)).then_some(Value::Object(fields))
    })
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    let RefOr::T(Schema::Object(object)) = schema else { return false };
    matches!(object.schema_type, SchemaType::Type(Type::Null))
}
