//! The command line: reads what is asked for, does it, and says in one line what went wrong where something did.

use std::{ffi::OsString, io::Read, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    app::{self, App, AppError},
    auth::Catalogue,
    config::{Config, ConfigError},
    events::Scope,
    flows::{self, DirectUser, Services},
    platform::{self, Clock, DbError, LogError},
    shared::{EmailAddress, InvalidEmail, Role, UserId},
    users::{self, Filter, Order, Page, Profile, User},
};

/// How many users `user list` reads at a time.
const LISTED_AT_ONCE: u32 = 500;

/// The front door of a web application: hosted sign-up and login, and a dashboard in which admins manage users.
#[derive(Parser)]
#[command(name = "latchkey", version, about, arg_required_else_help = false)]
struct Cli {
    /// The configuration file; without it, `latchkey.toml` in the working directory if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server; also what happens without a command.
    Serve,
    /// Brings the database to the schema of this version.
    Migrate,
    /// Creates, lists and changes users.
    #[command(subcommand)]
    User(UserCommand),
    /// Checks and shows the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Subcommand)]
enum UserCommand {
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

#[derive(Args)]
struct CreateUser {
    /// The e-mail address.
    #[arg(long)]
    email: String,
    /// Makes them an admin.
    #[arg(long)]
    admin: bool,
    /// Reads the password from standard input, up to the end of the first line.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ListUsers {
    /// Part of an e-mail address or a name.
    #[arg(long)]
    q: Option<String>,
    /// Prints one JSON array.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Target {
    /// The e-mail address or the id of the user.
    user: String,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Reads the configuration and says what is wrong with it; asks no database.
    Check,
    /// Prints the configuration in force, with secrets left out.
    Show,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Flow(#[from] flows::Error),
    #[error(transparent)]
    Users(#[from] users::Error),
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("'{0}' is not an e-mail address")]
    Email(String),
    #[error("there is no user '{0}'")]
    NoSuchUser(String),
    #[error("the database is not migrated: run `latchkey migrate`, or start the server once")]
    NotMigrated,
    #[error("no password came in on standard input")]
    NoPassword,
    #[error("can't read standard input: {0}")]
    Input(#[source] std::io::Error),
    #[error("can't print: {0}")]
    Output(#[source] std::io::Error),
    #[error("can't start: {0}")]
    Runtime(#[source] std::io::Error),
}

/// Runs the command that `arguments` name; the exit code is 0 on success, 1 on failure and 2 for what can't be read.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return show_usage(&error),
    };
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)
        .and_then(|runtime| runtime.block_on(execute(cli)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("latchkey: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show_usage(error: &clap::Error) -> ExitCode {
    // Where help can't be printed there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

async fn execute(cli: Cli) -> Result<(), CliError> {
    let config = Config::load(cli.config.as_deref(), std::env::vars())?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(config).await,
        Command::Migrate => migrate(&config).await,
        Command::Config(ConfigCommand::Check) => check(&config),
        Command::Config(ConfigCommand::Show) => print(&config.to_toml_redacted()),
        Command::User(command) => user(&config, command).await,
    }
}

async fn serve(config: Config) -> Result<(), CliError> {
    platform::log::init(&config.log)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let stop = stop_signal()?;
    let public_url = config.server.public_url.to_string();
    let app = App::build(config, Clock::system()).await?;
    tracing::info!(address = %app.local_addr(), %public_url, "serving");
    if let Some(token) = app.setup_token() {
        // Printed and not logged: a log that is kept elsewhere is no place for it.
        print(&format!("There is no admin yet. Create the first one here:\n\n    {public_url}/setup?token={token}\n"))?;
    }
    app.serve(stop).await;
    tracing::info!("stopped");
    Ok(())
}

/// Ends at SIGTERM and at SIGINT; both are listened for from here on, before anybody is told that the server serves.
fn stop_signal() -> Result<impl Future<Output = ()>, CliError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(CliError::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CliError::Runtime)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

async fn migrate(config: &Config) -> Result<(), CliError> {
    let services = app::services(config, &Catalogue::built_in(), Clock::system()).await?;
    let applied = services.platform.db.migrate().await?;
    services.platform.db.close().await;
    print(&match applied {
        0 => "The database is up to date.".to_owned(),
        1 => "1 migration applied.".to_owned(),
        _ => format!("{applied} migrations applied."),
    })
}

fn check(config: &Config) -> Result<(), CliError> {
    app::check(config, &Catalogue::built_in())?;
    for warning in &config.warnings {
        eprintln!("latchkey: warning: {warning}");
    }
    print("The configuration is fine.")
}

async fn user(config: &Config, command: UserCommand) -> Result<(), CliError> {
    let services = app::services(config, &Catalogue::built_in(), Clock::system()).await?;
    if services.platform.db.pending_migrations().await? > 0 {
        return Err(CliError::NotMigrated);
    }
    let scope = Scope::operator(services.platform.clock.now());
    let done = match command {
        UserCommand::Create(create) => create_user(&services, &scope, create).await,
        UserCommand::List(list) => list_users(&services, &scope, list).await,
        UserCommand::Disable(target) => disable(&services, &scope, target).await,
        UserCommand::Enable(target) => enable(&services, &scope, target).await,
        UserCommand::Delete(target) => delete(&services, &scope, target).await,
    };
    services.platform.db.close().await;
    done
}

async fn create_user(services: &Services, scope: &Scope, create: CreateUser) -> Result<(), CliError> {
    let email = EmailAddress::parse(&create.email).map_err(|InvalidEmail| CliError::Email(create.email))?;
    let role = if create.admin { Role::Admin } else { Role::Member };
    let new = DirectUser { email, profile: Profile::default(), role, password: read_password()? };
    let user = flows::create_directly(services, scope, new).await?;
    tell(create.json, &user_json(&user), &format!("Created {} ({}), {}.", user.email, user.id, user.role))
}

fn read_password() -> Result<String, CliError> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(CliError::Input)?;
    text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned).ok_or(CliError::NoPassword)
}

async fn list_users(services: &Services, scope: &Scope, list: ListUsers) -> Result<(), CliError> {
    let filter = Filter { search: list.q, ..Filter::default() };
    let mut listed = Vec::new();
    let mut page = Page::First;
    loop {
        let wanted = (&filter, Order::default(), &page);
        let found = users::list(&services.platform.db, scope, wanted, LISTED_AT_ONCE).await?;
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

async fn disable(services: &Services, scope: &Scope, target: Target) -> Result<(), CliError> {
    let user = find(services, &target.user).await?;
    let ended = flows::disable_user(services, scope, &user.id).await?;
    let answer = json!({ "id": user.id, "disabled": true, "ended_sessions": ended });
    tell(target.json, &answer, &format!("Disabled {}; sessions ended: {ended}.", user.email))
}

async fn enable(services: &Services, scope: &Scope, target: Target) -> Result<(), CliError> {
    let user = find(services, &target.user).await?;
    flows::enable_user(services, scope, &user.id).await?;
    tell(target.json, &json!({ "id": user.id, "disabled": false }), &format!("Enabled {}.", user.email))
}

async fn delete(services: &Services, scope: &Scope, target: Target) -> Result<(), CliError> {
    let user = find(services, &target.user).await?;
    flows::delete_user(services, scope, &user.id).await?;
    let answer = json!({ "id": user.id, "object": "user", "deleted": true });
    tell(target.json, &answer, &format!("Deleted {}.", user.email))
}

async fn find(services: &Services, target: &str) -> Result<User, CliError> {
    let db = &services.platform.db;
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

fn tell(is_json: bool, answer: &Value, words: &str) -> Result<(), CliError> {
    if is_json { print(&answer.to_string()) } else { print(words) }
}

/// Prints a line; a reader that has gone away, as `head` does, is no failure of the command.
fn print(text: &str) -> Result<(), CliError> {
    use std::io::{ErrorKind, Write as _};
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Output(error)),
        _ => Ok(()),
    }
}
