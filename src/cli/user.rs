//! `latchkey user …`: creates, lists and changes users, for whoever owns the machine.

use std::io::Read;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{CliError, LISTED_AT_ONCE, Target, Told, print, read_email, tell};
use crate::{
    flows::{self, DirectUser, Vouched},
    shared::{EmailAddress, InvalidEmail, Role, UserId},
    users::{self, Filter, Order, Page, Profile, User},
};

/// `user …`.
#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Creates a user; the address counts as verified.
    Create(CreateUser),
    /// Lists users, the newest first.
    List(ListUsers),
    /// Turns a user off and ends their sessions.
    Disable(Target),
    /// Turns a user on again.
    Enable(Target),
    /// Deletes a user with everything that belongs to them.
    Delete(Target),
}

/// `user create`.
#[derive(Args)]
pub(super) struct CreateUser {
    /// The e-mail address.
    #[arg(long)]
    email: String,
    /// Makes them an admin.
    #[arg(long)]
    admin: bool,
    /// Reads the password from standard input, up to the end of the first line; without it, a link to set one is printed.
    #[arg(long)]
    password_stdin: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// `user list`.
#[derive(Args)]
pub(super) struct ListUsers {
    /// Part of an e-mail address or a name.
    #[arg(long)]
    q: Option<String>,
    /// Prints one JSON array.
    #[arg(long)]
    json: bool,
}

/// Does what is asked for.
pub(super) async fn run(told: &Told, command: UserCommand) -> Result<(), CliError> {
    match command {
        UserCommand::Create(create) => create_user(told, create).await,
        UserCommand::List(list) => list_users(told, list).await,
        UserCommand::Disable(target) => disable(told, target).await,
        UserCommand::Enable(target) => enable(told, target).await,
        UserCommand::Delete(target) => delete(told, target).await,
    }
}

async fn create_user(told: &Told, create: CreateUser) -> Result<(), CliError> {
    let email = read_email(&create.email)?;
    let role = if create.admin { Role::Admin } else { Role::Member };
    if create.password_stdin {
        let new = DirectUser { email, profile: Profile::default(), role, password: read_password()? };
        let user = flows::create_directly(&told.services, &told.scope, new).await?;
        return tell(create.json, &user_json(&user), &created(&user));
    }
    let new = Vouched { email, profile: Profile::default(), role, metadata: Map::new(), is_kept: false };
    let (user, token) = flows::create_without_password(&told.services, &told.scope, new).await?;
    let link = told.link(&token);
    let mut answer = user_json(&user);
    answer["link"] = json!(link);
    tell(create.json, &answer, &format!("{}\nThey set a password here, once:\n\n    {link}\n", created(&user)))
}

fn created(user: &User) -> String {
    format!("Created {} ({}), {}.", user.email, user.id, user.role)
}

fn read_password() -> Result<String, CliError> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(CliError::Input)?;
    text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned).ok_or(CliError::NoPassword)
}

async fn list_users(told: &Told, list: ListUsers) -> Result<(), CliError> {
    let filter = Filter { search: list.q, ..Filter::default() };
    let mut listed = Vec::new();
    let mut page = Page::First;
    loop {
        let wanted = (&filter, Order::default(), &page);
        let found = users::list(&told.services.platform.db, &told.scope, wanted, LISTED_AT_ONCE).await?;
        let end = found.users.last().map(|user| user.id.clone());
        listed.extend(found.users);
        match end {
            Some(id) if found.has_next => page = Page::After(id),
            _ => break,
        }
    }
    if list.json {
        return print(&Value::Array(listed.iter().map(user_json).collect()).to_string());
    }
    let lines: Vec<String> = listed.iter().map(user_line).collect();
    if lines.is_empty() { Ok(()) } else { print(&lines.join("\n")) }
}

async fn disable(told: &Told, target: Target) -> Result<(), CliError> {
    let user = find(told, &target.target).await?;
    let ended = flows::disable_user(&told.services, &told.scope, &user.id).await?;
    let answer = json!({ "id": user.id, "disabled": true, "ended_sessions": ended });
    tell(target.json, &answer, &format!("Disabled {}; sessions ended: {ended}.", user.email))
}

async fn enable(told: &Told, target: Target) -> Result<(), CliError> {
    let user = find(told, &target.target).await?;
    flows::enable_user(&told.services, &told.scope, &user.id).await?;
    tell(target.json, &json!({ "id": user.id, "disabled": false }), &format!("Enabled {}.", user.email))
}

async fn delete(told: &Told, target: Target) -> Result<(), CliError> {
    let user = find(told, &target.target).await?;
    flows::delete_user(&told.services, &told.scope, &user.id).await?;
    let answer = json!({ "id": user.id, "object": "user", "deleted": true });
    tell(target.json, &answer, &format!("Deleted {}.", user.email))
}

async fn find(told: &Told, target: &str) -> Result<User, CliError> {
    let db = &told.services.platform.db;
    let found = match EmailAddress::parse(target) {
        Ok(email) => users::find_by_email(db, &email).await?,
        Err(InvalidEmail) => users::find(db, &UserId::new(target)).await?,
    };
    found.ok_or_else(|| CliError::NoSuchUser(target.to_owned()))
}

fn user_line(user: &User) -> String {
    let status = if user.disabled_at.is_some() { "disabled" } else { "active" };
    let name = user.full_name().unwrap_or_default();
    format!("{}  {}  {}  {status}  {name}", user.id, user.email, user.role).trim_end().to_owned()
}

fn user_json(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "email_verified_at": user.email_verified_at,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "avatar_url": user.avatar_url,
        "role": user.role,
        "status": if user.disabled_at.is_some() { "disabled" } else { "active" },
        "metadata": user.metadata,
        "last_login_at": user.last_login_at,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    })
}
