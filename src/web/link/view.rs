//! How the pages of mailed links look: what a link will do, what has become of it, and the wait for a mail.

use std::time::Duration;

use leptos::prelude::*;

use super::{CODE_FORM, COOLDOWN_SECS};
use crate::{
    flows::{
        self,
        link::{
            CHANGE_EMAIL, CONFIRM_EMAIL, DISOWN_RESET, LOG_IN, RESET_IDENTITY, RESET_PASSWORD, SET_PASSWORD,
            UNDO_EMAIL_CHANGE,
        },
    },
    islands::SendAgain,
    platform::{OneTime, OneTimeState, Timestamp},
    shared::{EmailAddress, Field},
    web::{
        http::{
            next::{OwnPath, query_value},
            pending::{Awaited, AwaitedLogIn, Pending},
            scope::Asked,
        },
        state::PRODUCT,
        ui::{Alert, Button, ButtonKind, ButtonLink, EntryPage, HiddenField, MessagePage, Notice, PostForm, TextField},
        words,
    },
};

/// A link that somebody has opened.
pub struct Opened {
    pub token: OneTime,
    /// The secret, as it stands in the address.
    pub address: String,
    pub is_for_another: bool,
    /// Who is logged in.
    pub viewer: Option<EmailAddress>,
    pub is_renewable: bool,
    pub now: Timestamp,
    /// Why its button was refused just now.
    pub refusal: Option<String>,
}

/// What a link will do, and the word on its button.
fn promise(token: &OneTime) -> (&'static str, &'static str, &'static str) {
    let found = [
        (CONFIRM_EMAIL, "Confirm your e-mail", "This confirms that you can be reached at", "Confirm"),
        (LOG_IN, "Log in", "This logs you in as", "Log in"),
        (RESET_PASSWORD, "Set a new password", "This lets you set a new password for the account of", "Continue"),
        (RESET_IDENTITY, "Set a new password", "This lets you set a new password for", "Continue"),
        (SET_PASSWORD, "Choose a password", "This lets you choose the password of the account of", "Continue"),
        (CHANGE_EMAIL, "Confirm your new e-mail", "From now on your account is known by", "Confirm"),
        (
            UNDO_EMAIL_CHANGE,
            "Take the change back",
            "This logs out every device and gives the account back to",
            "Take it back",
        ),
        (DISOWN_RESET, "That wasn't you?", "This ends the new password and logs out every device of", "It wasn't me"),
    ];
    let known = found.into_iter().find(|(purpose, ..)| token.is_for(*purpose));
    known.map_or(("Mailed link", "This link is for", "Continue"), |(_, title, text, button)| (title, text, button))
}

/// A link in whatever state it is.
#[component]
pub fn OpenedLink(opened: Opened) -> AnyView {
    if opened.is_for_another {
        return view! { <WrongAccount opened=opened /> }.into_any();
    }
    match opened.token.state {
        OneTimeState::Ready => view! { <ReadyLink opened=opened /> }.into_any(),
        OneTimeState::Expired => view! { <ExpiredLink opened=opened /> }.into_any(),
        OneTimeState::Used => {
            let text = "It did what it was for. Nothing more can be done with it.";
            view! { <EndedLink title="This link was used" text=text is_for_password=is_for_password(&opened.token) /> }
                .into_any()
        }
        OneTimeState::Replaced => {
            let text = "A newer one was mailed after it. Use the link in the newest mail.";
            view! { <EndedLink title="This link was replaced" text=text is_for_password=false /> }.into_any()
        }
        OneTimeState::Revoked => {
            let text = if opened.token.is_for(DISOWN_RESET) {
                "The password was changed again since, or something else of the account was."
            } else {
                "It was taken back before it was used."
            };
            view! { <EndedLink title="This link no longer works" text=text is_for_password=is_for_password(&opened.token) /> }
                .into_any()
        }
    }
}

/// Whether a link that sets a password is what comes after it.
fn is_for_password(token: &OneTime) -> bool {
    [RESET_PASSWORD, SET_PASSWORD, RESET_IDENTITY, DISOWN_RESET, UNDO_EMAIL_CHANGE]
        .into_iter()
        .any(|purpose| token.is_for(purpose))
}

#[component]
fn ReadyLink(opened: Opened) -> impl IntoView {
    let (title, text, button) = promise(&opened.token);
    let address = format!("/link/{}", query_value(&opened.address));
    let until = format!("The link works until {}.", words::of_end(opened.token.expires_at, opened.now));
    let (away, where_to) =
        if opened.viewer.is_some() { ("/account", "Back to your account") } else { ("/login", "Log in") };
    let tab = if opened.refusal.is_some() { format!("{title}: that didn't work") } else { title.to_owned() };
    let void = flows::may_be_void(&opened.token).then(|| {
        view! {
            <PostForm action="/api/void-link">
                <HiddenField name="token" value=opened.address />
                <Button kind=ButtonKind::Quiet full=true>"I didn't ask for this"</Button>
            </PostForm>
        }
    });
    let way_on = opened
        .refusal
        .is_some()
        .then(|| view! { <ButtonLink href=away kind=ButtonKind::Quiet full=true>{where_to}</ButtonLink> });
    view! {
        <EntryPage title=title product=PRODUCT tab=tab>
            {opened.refusal.map(|refusal| view! { <Alert>{refusal}</Alert> })}
            <p class="lead">{text} " " <strong><bdi>{opened.token.email.to_string()}</bdi></strong> "."</p>
            <PostForm action=address>
                <Button full=true>{button}</Button>
            </PostForm>
            {void}
            {way_on}
            <p class="hint">{until}</p>
        </EntryPage>
    }
}

#[component]
fn ExpiredLink(opened: Opened) -> impl IntoView {
    let lead = format!("It worked until {}.", words::of_moment(opened.token.expires_at));
    let way_on = if opened.is_renewable {
        view! {
            <PostForm action="/api/renew-link">
                <HiddenField name="token" value=opened.address />
                <Button full=true>"Send a new one"</Button>
            </PostForm>
        }
        .into_any()
    } else {
        view! { <ButtonLink href="/login" full=true>"Log in"</ButtonLink> }.into_any()
    };
    view! { <EntryPage title="This link has expired" product=PRODUCT lead=lead>{way_on}</EntryPage> }
}

#[component]
fn EndedLink(title: &'static str, text: &'static str, is_for_password: bool) -> impl IntoView {
    let again = is_for_password.then(|| {
        view! { <ButtonLink href="/forgot-password" kind=ButtonKind::Quiet>"Ask for a new link"</ButtonLink> }
    });
    view! {
        <MessagePage title=title product=PRODUCT text=text>
            <ButtonLink href="/login">"Log in"</ButtonLink>
            {again}
        </MessagePage>
    }
}

#[component]
fn WrongAccount(opened: Opened) -> impl IntoView {
    let next = query_value(&format!("/link/{}", query_value(&opened.address)));
    let viewer = opened.viewer.map(|email| email.to_string()).unwrap_or_default();
    let switch = format!("/login?use=another&next={next}");
    view! {
        <EntryPage title="Another account is logged in" product=PRODUCT>
            <p class="lead">
                "This link is for " <strong><bdi>{opened.token.email.to_string()}</bdi></strong> ", you are "
                <strong><bdi>{viewer}</bdi></strong> "."
            </p>
            <PostForm action="/api/logout">
                <HiddenField name="next" value=format!("/link/{}", query_value(&opened.address)) />
                <Button full=true>"Log out and go on"</Button>
            </PostForm>
            <ButtonLink href=switch kind=ButtonKind::Quiet full=true>"Switch account"</ButtonLink>
        </EntryPage>
    }
}

/// What is no link of ours, or ended long ago.
#[component]
pub fn UnknownLink() -> impl IntoView {
    let text = "Check that the whole link was copied from the mail. If it is an old one, ask for another.";
    view! {
        <MessagePage title="This link doesn't work" product=PRODUCT text=text>
            <ButtonLink href="/login">"Log in"</ButtonLink>
            <ButtonLink href="/link" kind=ButtonKind::Quiet>"Type the code instead"</ButtonLink>
        </MessagePage>
    }
}

/// Somebody who waits for a mail, or has one with a code.
pub struct Waiting {
    pending: Option<(Awaited, EmailAddress, u64)>,
    /// When a mail to log in by ends.
    until: String,
    typed_email: String,
    error: Option<String>,
    email_error: Option<String>,
    notice: Option<String>,
    /// Whether a right password has led here.
    is_from_login: bool,
    is_sent: bool,
}

impl Waiting {
    /// Reads what the browser is in the middle of, and what the answer before has left.
    pub fn new(pending: Option<Pending>, asked: &Asked, is_sent: bool) -> Self {
        let error = asked.flash.error_of(CODE_FORM);
        let now = asked.scope.now;
        let mut until = String::new();
        let pending = match pending {
            Some(Pending::Mail { awaited, email, asked_at }) => {
                let asked_at = Timestamp::from_micros(asked_at);
                if let Awaited::LogIn(log_in) = &awaited {
                    until = words::of_end(asked_at.plus(Duration::from_secs(log_in.lifetime_secs)), now);
                }
                Some((awaited, email, COOLDOWN_SECS.saturating_sub(now.since(asked_at).as_secs())))
            }
            _ => None,
        };
        Self {
            pending,
            until,
            typed_email: asked.flash.typed_in(CODE_FORM, "email").unwrap_or_default().to_owned(),
            error: words::of_field(error, Field::Code).or_else(|| error.and_then(words::of_refusal)),
            email_error: words::of_field(error, Field::Email),
            notice: words::of_notice(asked),
            is_from_login: asked.flash.error_of("login").is_some(),
            is_sent,
        }
    }

    fn lead(&self) -> String {
        match (&self.pending, self.is_sent) {
            (None, _) => "Type the code that stands in the mail, and the address that it came to.".to_owned(),
            (Some((Awaited::NewPassword, email, _)), true) => {
                format!("If {email} has an account, a mail with a link is on its way. It works for 15 minutes.")
            }
            (Some((Awaited::Confirmation { .. }, email, _)), true) => {
                format!("We sent a mail to {email}. Open its link, or type its code here, within 24 hours.")
            }
            (Some((Awaited::NewEmail, email, _)), true) => {
                format!("We sent a mail to {email}. Open its link, or type its code here, within an hour.")
            }
            (Some((Awaited::LogIn(log_in), email, _)), true) => {
                let what = if log_in.has_link { "a link and a code" } else { "a code" };
                let until = &self.until;
                format!("If {email} may log in here, a mail with {what} is on its way. It works until {until}.")
            }
            (Some((Awaited::LogIn(_), email, _)), false) => format!(
                "This site sends no mail itself. Ask an administrator for your link: they find it under Mail, if {email} may log in here."
            ),
            (Some((_, email, _)), false) => format!(
                "This site sends no mail itself. Ask an administrator for your link: they find it under Mail, if {email} has an account."
            ),
        }
    }
}

/// Where the address was typed for a mail to log in by.
fn page_of(log_in: &AwaitedLogIn) -> String {
    let next = log_in.next.as_deref().and_then(OwnPath::parse);
    let next = next.map(|next| format!("&next={}", next.in_query())).unwrap_or_default();
    format!("/login?with={}{next}", query_value(log_in.provider.as_str()))
}

/// Waits for a mail, and takes its code.
#[component]
pub fn WaitingPage(waiting: Waiting) -> impl IntoView {
    let title = match &waiting.pending {
        None => "Enter your code",
        Some(_) if waiting.is_from_login => "Confirm your e-mail first",
        Some(_) if waiting.is_sent => "Check your e-mail",
        Some(_) => "Ask for your link",
    };
    let lead = waiting.lead();
    let back = waiting.pending.as_ref().map(|(awaited, ..)| match awaited {
        Awaited::Confirmation { .. } => "/register".to_owned(),
        Awaited::LogIn(log_in) => page_of(log_in),
        Awaited::NewPassword => "/forgot-password".to_owned(),
        Awaited::NewEmail => "/account".to_owned(),
    });
    let foot = move || back.map(|back| view! { <p>"Wrong address? " <a href=back>"Type it again"</a></p> });
    let takes_code = waiting.is_sent || waiting.pending.is_none();
    let Waiting { pending, typed_email, error, email_error, notice, .. } = waiting;
    let email = match &pending {
        Some((_, email, _)) => view! { <HiddenField name="email" value=email.as_str() /> }.into_any(),
        None => view! {
            <TextField
                name="email"
                label="E-mail"
                kind="email"
                autocomplete="username"
                value=typed_email
                error=email_error
                required=true
            />
        }
        .into_any(),
    };
    view! {
        <EntryPage title=title product=PRODUCT lead=lead foot=foot>
            {notice.map(|notice| view! { <Notice>{notice}</Notice> })}
            {takes_code.then(|| view! {
                <PostForm action="/api/use-code">
                    {email}
                    <TextField
                        name="code"
                        label="Code"
                        autocomplete="one-time-code"
                        maxlength=16
                        error=error
                        hint="Eight characters, such as 7K3P-9QXM."
                        required=true
                        autofocus=true
                    />
                    <Button full=true>"Continue"</Button>
                </PostForm>
            })}
            {pending.map(|(awaited, _, left)| view! { <Again awaited=awaited left=left /> })}
        </EntryPage>
    }
}

#[component]
fn Again(awaited: Awaited, left: u64) -> AnyView {
    if awaited == Awaited::NewEmail {
        return ().into_any();
    }
    view! {
        <PostForm action="/api/send-again">
            <SendAgain left=left />
        </PostForm>
    }
    .into_any()
}
