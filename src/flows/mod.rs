//! Verbs that join the Auth and the User module; a rule that needs both lives here and nowhere else.
//! Every way in passes the same steps in the same order: limits, proof, may this user come in, session, event.

mod accept_invite;
mod authenticate;
mod authority;
mod bearer;
mod change_email;
mod change_password;
mod confirm_email;
mod connections;
mod create_user;
mod end_sessions;
mod error;
mod external_user;
mod follow_link;
mod foresee;
mod held_address;
mod invite;
mod letter;
pub mod link;
mod log_in_by_mail;
mod login;
mod mail;
mod mail_request;
mod manage_user;
mod new_password;
mod passkeys;
mod profile;
mod recover;
mod redirect;
mod register;
mod register_by_mail;
mod rehearse;
mod resolve_user;
mod resume;
mod services;
mod settings;
mod setup;
mod view_audit;
mod view_system;
mod view_user;
mod webhooks;

pub use accept_invite::{
    Acceptance, Claim, InviteStanding, Newcomer, accept_invite, accept_invite_by_identity, accept_invite_by_mail,
    ask_for_invite, raise_by_invite, view_invite,
};
pub use authenticate::{Access, Ask, authenticate, call_back, providers_of, register_identity};
pub use bearer::{Holder, give_cookie, refresh_token, resume_bearer};
pub use change_email::request_email_change;
pub use change_password::{change_password, has_password};
pub use connections::{Connection, own_connections, unlink};
pub use create_user::{DirectUser, Vouched, create_directly, create_without_password};
pub use end_sessions::{end_other_sessions, end_session, log_out_holder};
pub use error::Error;
pub use external_user::Guest;
pub use follow_link::{
    Followed, find_by_code, follow_link, is_for_another, link_again, may_be_void, open_link, void_link,
};
pub use invite::{
    Availability, Invitation, InviteTerms, Invited, MAX_INVITES_AT_ONCE, availability, delete_invite, find_invite,
    invite, invite_many, new_invite_link, resend_invite, revoke_invite,
};
pub use letter::{Letter, MailedLink, Written};
pub use log_in_by_mail::MailedLogIn;
pub use login::{Elsewhere, LogIn, LoggedIn, Outcome, log_in};
pub use mail::{KeptLink, Mails, kept_link, list_mails, retry_mail, send_test_mail};
pub use mail_request::{
    MailRequest, Renewed, answer_mail_request, is_renewable, renew_link, request_mail, request_reset,
};
pub use manage_user::{
    UserChanges, change_role, delete_user, disable_user, enable_user, end_user_sessions, update_user,
};
pub use new_password::{PasswordSet, set_password_by_link, update_by_token};
pub use passkeys::{
    PasskeyChoice, add_passkey, ask_for_passkey, offer_passkey, own_passkeys, passkey_provider, remove_passkey,
    rename_passkey,
};
pub use profile::update_profile;
pub use recover::LostPassword;
pub use redirect::{Arrival, Errand, Journey, arrive, set_out};
pub use register::{Registered, Registration, register};
pub use rehearse::{Decision, Rehearsal};
pub use resolve_user::{HookError, HookSettings, ProvedLogin, Resolution, ResolveUser};
pub use resume::{Resumed, Visit, resume};
pub use services::Services;
pub use settings::{ActorSettings, EmailMatch, InviteSettings, RegistrationMode, RegistrationSettings, Rules};
pub use setup::{open_setup, set_up, setup_is_open};
pub use view_audit::{AuditQuestion, AuditView, view_audit};
pub use view_system::{ProviderView, SystemView, view_system};
pub use view_user::{UserDetails, find_user, own_sessions, user_details};
pub use webhooks::{EndpointView, Webhooks, retry_delivery, send_test_webhook, view_webhooks};

/// The actor type of a person's own account.
pub const USER: &str = "user";
