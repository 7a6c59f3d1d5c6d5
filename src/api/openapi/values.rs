//! What a value may be, beside the code that reads it: its limits come from the same constants. Where code takes more than
//! a pattern can say, such as the blanks around a name, the pattern says less.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{
            AdditionalProperties, AnyOfBuilder, ArrayBuilder, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat,
            Type,
        },
    },
};

use crate::{
    api::{
        auth::NewPassword,
        fields::Fields,
        forward::InPlaceOfRedirect,
        invites::{InvitesOrder, StateName},
        users::{ShownUser, StatusName, UserAnswer, UserOrder},
        values::{
            Cursor, Ids, InviteLife, MAX_ID_CHARS, MAX_IDS, MAX_ROWS, MAX_SEARCH_CHARS, Metadata, Name, Note, Offset,
            PageSize, Picture, ROWS, SearchText, Times,
        },
    },
    flows::InviteSettings,
    platform::Timestamp,
    shared::{
        EmailAddress, InviteId, MAX_NAME_CHARS, MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, ProviderId, Role, SessionId,
        UserId,
    },
    users::{INVITE_NOTE_CHARS, MAX_AVATAR_URL_BYTES},
};

/// An id in examples.
pub(super) const ID: &str = "0199c3a4-7d2e-7b11-9c55-8f1f5f3f2a10";
/// No control characters.
const PLAIN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
/// No control characters, and nothing that turns the direction of what stands beside it.
const PLAIN_NAME: &str = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$";
/// The same in lines.
const PLAIN_LINES: &str = r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]*$";
/// An address of the web without anybody's name in it.
const WEB_ADDRESS: &str = r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,4})?([/?#][!#-;=?-\[\]_a-z~]*)?$";
/// 1 to 30 days, or 1 to 720 hours.
const DAYS_OR_HOURS: &str = "^(([1-9]|[12][0-9]|30)d|([1-9][0-9]?|[1-6][0-9][0-9]|7[01][0-9]|720)h)$";

macro_rules! schemas {
    ($all:ident: $($type:ident => $schema:expr;)*) => {
        $(
            impl PartialSchema for $type {
                fn schema() -> RefOr<Schema> {
                    $schema.into()
                }
            }

            impl ToSchema for $type {}
        )*

        pub(super) fn $all() -> BTreeMap<String, RefOr<Schema>> {
            BTreeMap::from([$(($type::name().into_owned(), $type::schema())),*])
        }
    };
}

// Values of bodies and answers.
schemas! { in_bodies:
    UserId => text().description(Some("A UUIDv7, unless an application brings ids of its own.")).examples([ID]);
    InviteId => text().description(Some("A UUIDv7.")).examples([ID]);
    SessionId => text().description(Some("A UUIDv7.")).examples([ID]);
    ProviderId => text().description(Some("The id of a configured provider.")).examples(["emailpass"]);
    Timestamp => text()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some("A time in UTC, to the millisecond (RFC 3339)."))
        .examples(["2026-11-21T14:10:00.123Z"]);
    EmailAddress => text()
        .format(Some(SchemaFormat::Custom("email".to_owned())))
        .description(Some("An e-mail address; compared, and kept, in lower case (NFKC)."))
        .examples(["ada@example.org"]);
    Role => text().enum_values(Some(Role::ALL.map(Role::as_str))).examples(["member"]);
    Name => text()
        .max_length(Some(MAX_NAME_CHARS))
        .pattern(Some(PLAIN_NAME))
        .description(Some("A first or last name; an empty one is none."))
        .examples(["Ada"]);
    Note => text()
        .max_length(Some(INVITE_NOTE_CHARS))
        .pattern(Some(PLAIN_LINES))
        .description(Some("A few plain lines."))
        .examples(["See you on Monday."]);
    Picture => text()
        .max_length(Some(MAX_AVATAR_URL_BYTES))
        .pattern(Some(WEB_ADDRESS))
        .description(Some("The `http` or `https` URL of a picture."))
        .examples(["https://example.org/ada.png"]);
    NewPassword => text()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(MIN_PASSWORD_CHARS))
        .max_length(Some(MAX_PASSWORD_CHARS))
        .pattern(Some(PLAIN))
        .description(Some("A password that is to be set; not one of the most common ones, and not the address."))
        .examples(["a long password"]);
    Metadata => ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .description(Some("What the application keeps: any object of at most 16 KiB, without NUL."))
        .examples([json!({ "team": "blue" })]);
    InviteLife => AnyOfBuilder::new()
        .item(text().pattern(Some(DAYS_OR_HOURS)).examples(["7d"]))
        .item(
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(InviteSettings::BOUNDS.start().as_secs()))
                .maximum(Some(InviteSettings::BOUNDS.end().as_secs())),
        )
        .description(Some("How long: a text such as `7d` or `36h`, or a number of seconds; from 1 hour to 30 days."));
    ShownUser => chosen_fields();
}

// Values behind the `?` of an address.
schemas! { in_parameters:
    SearchText => text().max_length(Some(MAX_SEARCH_CHARS)).pattern(Some(PLAIN)).examples(["ada"]);
    Ids => ArrayBuilder::new()
        .items(text().max_length(Some(MAX_ID_CHARS)).pattern(Some(PLAIN)))
        .max_items(Some(MAX_IDS))
        .examples([json!([ID])]);
    Cursor => text().min_length(Some(1)).max_length(Some(MAX_ID_CHARS)).pattern(Some(PLAIN)).examples([ID]);
    PageSize => whole_number().minimum(Some(1)).maximum(Some(MAX_ROWS)).default(Some(json!(ROWS))).examples([20]);
    Offset => whole_number().minimum(Some(0)).maximum(Some(u32::MAX)).default(Some(json!(0))).examples([0]);
    Times => times();
    Fields => fields();
    UserOrder => order(UserOrder::NAMES.map(|(name, _)| name));
    InvitesOrder => order(InvitesOrder::NAMES.map(|(name, _)| name));
}

/// What may stand behind the `?` of an address, by the names of the types.
pub(super) fn in_addresses() -> BTreeMap<String, RefOr<Schema>> {
    let mut all = in_parameters();
    all.extend([
        (EmailAddress::name().into_owned(), EmailAddress::schema()),
        (
            Name::name().into_owned(),
            text().min_length(Some(1)).max_length(Some(MAX_NAME_CHARS)).pattern(Some(PLAIN_NAME)).into(),
        ),
        (Role::name().into_owned(), Role::schema()),
        (StatusName::name().into_owned(), StatusName::schema()),
        (StateName::name().into_owned(), StateName::schema()),
        (InPlaceOfRedirect::name().into_owned(), InPlaceOfRedirect::schema()),
    ]);
    all
}

/// An id in a path.
pub(super) fn id_in_path() -> Object {
    text().min_length(Some(1)).examples([ID]).build()
}

/// A provider that a browser names, whether there is one or not.
pub(super) fn provider_in_path() -> Object {
    text().min_length(Some(1)).examples(["emailpass"]).build()
}

/// One of several words, the first of which is the example.
pub(super) fn one_of(words: &[String]) -> Object {
    text().enum_values(Some(words.iter().map(String::as_str))).examples(words.first().map(String::as_str)).build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn whole_number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}

/// A user of whom only the id is sure to be there.
fn chosen_fields() -> RefOr<Schema> {
    let mut schema = UserAnswer::schema();
    if let RefOr::T(Schema::Object(user)) = &mut schema {
        user.required = vec!["id".to_owned()];
        user.description =
            Some("A user, with the fields that were asked for: all where nothing is said, the id always.".to_owned());
    }
    schema
}

/// RFC 3339, or a day.
fn times() -> ObjectBuilder {
    let format = |format| text().format(Some(SchemaFormat::KnownFormat(format)));
    let time = || {
        AnyOfBuilder::new()
            .item(format(KnownFormat::DateTime).examples(["2026-11-21T14:10:00.123Z"]))
            .item(format(KnownFormat::Date).examples(["2026-11-21"]))
    };
    let operators = [
        ("$gt", "After this time."),
        ("$gte", "At this time or after it."),
        ("$lt", "Before this time."),
        ("$lte", "At this time or before it."),
        ("$eq", "At this time."),
        ("$ne", "Not at this time."),
    ];
    let about =
        "A time such as `2026-11-21T14:10:00.123Z`, or a day in UTC such as `2026-11-21`; compared to the millisecond.";
    let object = ObjectBuilder::new().schema_type(Type::Object).description(Some(about));
    operators
        .into_iter()
        .fold(object, |object, (name, about)| object.property(name, time().description(Some(about))))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .examples([json!({ "$gte": "2026-11-21" })])
}

/// Names with commas, each with or without a sign.
fn fields() -> ObjectBuilder {
    let word = format!(r" *[+-]?({}) *| *", UserAnswer::FIELDS.join("|"));
    text().pattern(Some(format!("^({word})(,({word}))*$"))).examples(["email,role"])
}

/// Names, each with or without a `-`.
fn order<const N: usize>(names: [&'static str; N]) -> ObjectBuilder {
    let both = names.into_iter().flat_map(|name| [name.to_owned(), format!("-{name}")]);
    text().enum_values(Some(both)).default(Some(json!("-created_at"))).examples([Value::from("-created_at")])
}
