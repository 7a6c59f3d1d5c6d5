//! The description of the API as this page reads it: the part of OpenAPI 3.1 that it shows, in the order of the document.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};

/// The document.
#[derive(Clone, Deserialize)]
pub struct Document {
    pub info: Info,
    pub tags: Vec<Tag>,
    pub paths: Paths,
    pub components: Components,
}

#[derive(Clone, Deserialize)]
pub struct Info {
    pub version: String,
    pub description: String,
}

/// A part of the API.
#[derive(Clone, Deserialize)]
pub struct Tag {
    pub name: String,
    #[serde(default)]
    pub description: String,
}

impl Tag {
    /// Names the part in addresses.
    pub fn id(&self) -> String {
        format!("part-{}", self.name.to_lowercase().replace(' ', "-"))
    }
}

/// Paths, with their methods and operations.
#[derive(Clone, Deserialize)]
pub struct Paths(Ordered<Ordered<Operation>>);

impl Paths {
    /// Every operation, with its path and its method.
    pub fn into_operations(self) -> Vec<Operation> {
        let of_path = |(path, methods): (String, Ordered<Operation>)| {
            let named = move |(method, operation): (String, Operation)| Operation {
                path: path.clone(),
                method: method.to_uppercase(),
                ..operation
            };
            methods.0.into_iter().map(named).collect::<Vec<_>>()
        };
        self.0.0.into_iter().flat_map(of_path).collect()
    }
}

/// What is done at an address.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    #[serde(skip)]
    pub path: String,
    #[serde(skip)]
    pub method: String,
    #[serde(rename = "operationId")]
    name: String,
    tags: Vec<String>,
    pub summary: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    pub request_body: Option<Body>,
    pub responses: Ordered<Answer>,
    #[serde(default)]
    pub security: Vec<Map<String, Value>>,
}

impl Operation {
    /// Names it in addresses.
    pub fn id(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Whether it is in a part of the API.
    pub fn is_of(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }

    /// The names of what one may be known by; empty where nobody has to be.
    pub fn known_by(&self) -> Vec<&str> {
        self.security.iter().flat_map(|way| way.keys()).map(String::as_str).collect()
    }

    /// Whether one need not be known.
    pub fn is_open(&self) -> bool {
        self.security.is_empty() || self.security.iter().any(Map::is_empty)
    }
}

#[derive(Clone, Deserialize)]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "in")]
    pub place: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub required: bool,
    pub schema: Schema,
    #[serde(default)]
    pub example: Option<Value>,
}

#[derive(Clone, Deserialize)]
pub struct Body {
    pub content: Ordered<Content>,
}

#[derive(Clone, Deserialize)]
pub struct Content {
    pub schema: Option<Schema>,
    pub example: Option<Value>,
}

/// An answer, or the name of one that many operations have.
#[derive(Clone, Deserialize)]
pub struct Answer {
    #[serde(rename = "$ref")]
    pub named: Option<String>,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub headers: Ordered<Header>,
    #[serde(default)]
    pub content: Ordered<Content>,
}

#[derive(Clone, Deserialize)]
pub struct Header {
    #[serde(default)]
    pub description: String,
}

/// What a value may be (JSON Schema 2020-12).
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Schema {
    #[serde(rename = "$ref")]
    pub named: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<Value>,
    pub description: String,
    pub format: Option<String>,
    #[serde(rename = "enum")]
    pub values: Vec<Value>,
    pub default: Option<Value>,
    pub examples: Vec<Value>,
    pub minimum: Option<Value>,
    pub maximum: Option<Value>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub max_items: Option<u64>,
    pub properties: Ordered<Self>,
    pub required: Vec<String>,
    pub items: Option<Box<Self>>,
    pub one_of: Vec<Self>,
    pub any_of: Vec<Self>,
    pub all_of: Vec<Self>,
}

/// What many operations name.
#[derive(Clone, Deserialize)]
pub struct Components {
    schemas: Ordered<Schema>,
    responses: Ordered<Answer>,
}

impl Components {
    /// The types that are worth a place of their own: those with fields, and choices between them.
    pub fn named_types(&self) -> Vec<(String, Schema)> {
        let has_parts =
            |schema: &Schema| !schema.properties.0.is_empty() || !schema.all_of.is_empty() || !schema.one_of.is_empty();
        self.schemas.0.iter().filter(|(_, schema)| has_parts(schema)).cloned().collect()
    }

    /// The schema that a reference leads to.
    pub fn schema(&self, reference: &str) -> Option<&Schema> {
        self.schemas.find(name_in(reference))
    }

    /// The refusals that many of these operations have, by their statuses.
    pub fn common_refusals(&self, operations: &[Operation]) -> Vec<(String, Answer)> {
        let answers = operations.iter().flat_map(|operation| &operation.responses.0);
        let named = answers.filter_map(|(status, answer)| Some((status.clone(), answer.named.clone()?)));
        let by_status: BTreeMap<String, String> = named.collect();
        let found = |(status, named): (String, String)| Some((status, self.responses.find(name_in(&named))?.clone()));
        by_status.into_iter().filter_map(found).collect()
    }

    /// Whether a type has a place of its own on the page.
    pub fn has_place(&self, name: &str) -> bool {
        self.named_types().iter().any(|(own, _)| own == name)
    }
}

/// The name at the end of a reference.
pub fn name_in(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// Names and values in the order in which they stand in the document.
#[derive(Clone)]
pub struct Ordered<T>(pub Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Ordered<T> {
    /// The value of this name.
    pub fn find(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = Ordered<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Ordered(entries))
    }
}
