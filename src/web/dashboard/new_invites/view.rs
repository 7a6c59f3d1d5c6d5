//! How inviting many looks: the form, what would come of it, and what came of it row by row.

use std::time::Duration;

use leptos::prelude::*;

use super::{pasted::Line, refusal};
use crate::{
    flows::{Availability, MAX_INVITES_AT_ONCE},
    shared::{EmailAddress, Field, FormError, Role},
    users::INVITE_NOTE_CHARS,
    web::{
        state::PRODUCT,
        ui::{
            Actions, Alert, Badge, Button, ButtonKind, ButtonLink, Cell, Choice, DashboardEntry, DashboardPage, Header,
            HiddenField, Link, Notice, PostForm, Row as TableRow, Section, SelectField, Table, TextArea, Tone, Viewer,
        },
        words::{self, invites::LIVES},
    },
};

const PAGE: &str = "/dashboard/invites/new";

/// What was typed.
#[derive(Clone)]
pub(super) struct Typed {
    pub emails: String,
    pub role: String,
    pub expires_in: String,
    pub note: String,
}

impl Typed {
    /// The same, with the life that is configured where none was chosen.
    pub fn or_default_life(mut self, life: Duration) -> Self {
        if self.expires_in.is_empty() {
            let known = LIVES.into_iter().find(|(_, known, _)| *known == life);
            known.map_or("", |(name, ..)| name).clone_into(&mut self.expires_in);
        }
        self
    }
}

/// What would come of it.
#[derive(Clone, Default)]
pub(super) struct Previewed {
    pub ready: Vec<EmailAddress>,
    pub users: Vec<Line>,
    pub invited: Vec<Line>,
    pub wrong: Vec<Line>,
    pub twice: Vec<Line>,
}

impl Previewed {
    /// "18 ready, 1 already a user, 1 already invited, 2 not an e-mail (lines 4 and 9)".
    fn in_words(&self) -> String {
        let mut parts = vec![format!("{} ready", self.ready.len())];
        for (count, what) in [(self.users.len(), "already a user"), (self.invited.len(), "already invited")] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        for (lines, what) in [(&self.wrong, "not an e-mail"), (&self.twice, "twice")] {
            if !lines.is_empty() {
                parts.push(format!("{} {what} ({})", lines.len(), numbers_of(lines)));
            }
        }
        parts.join(", ")
    }

    /// Everything that is not sent, and why, as it was pasted.
    fn left_out(&self) -> Vec<(String, &'static str)> {
        let lists = [
            (&self.wrong, "Not an e-mail address, or more than one"),
            (&self.twice, "Stands further above already"),
            (&self.users, "Already a user"),
            (&self.invited, "Already invited"),
        ];
        let mut lines: Vec<_> =
            lists.into_iter().flat_map(|(lines, why)| lines.iter().map(move |line| (line, why))).collect();
        lines.sort_by_key(|(line, _)| line.number);
        lines.into_iter().map(|(line, why)| (format!("Line {}: {}", line.number, line.text), why)).collect()
    }
}

fn numbers_of(lines: &[Line]) -> String {
    let numbers: Vec<String> = lines.iter().map(|line| line.number.to_string()).collect();
    match numbers.split_last() {
        Some((last, [])) => format!("line {last}"),
        Some((last, before)) => format!("lines {} and {last}", before.join(", ")),
        None => String::new(),
    }
}

#[component]
fn Framed(viewer: Viewer, #[prop(into)] title: String, children: Children) -> impl IntoView {
    view! {
        <DashboardPage
            title=title
            product=PRODUCT
            viewer=viewer
            entry=DashboardEntry::Invites
            back=Link::new("/dashboard/invites", "Invites")
        >
            {children()}
        </DashboardPage>
    }
}

#[component]
pub(super) fn FormPage(viewer: Viewer, typed: Typed, error: Option<FormError>) -> impl IntoView {
    let refused = refusal(error.as_ref());
    view! {
        <Framed viewer=viewer title="Invite people">
            {refused.map(|refused| view! { <Alert>{refused}</Alert> })}
            <Section title="Whom">
                <Fields typed=typed error=error button="Preview" autofocus=true />
            </Section>
        </Framed>
    }
}

#[component]
fn Fields(
    typed: Typed,
    #[prop(default = None)] error: Option<FormError>,
    button: &'static str,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let [wrong_emails, wrong_role, wrong_life, wrong_note] =
        [Field::Email, Field::Role, Field::ExpiresIn, Field::Note].map(|field| words::of_field(error.as_ref(), field));
    let roles = Role::ALL.into_iter().rev().map(|role| Choice::new(role.as_str(), words::of_role(role))).collect();
    let mut lives: Vec<Choice> = LIVES.map(|(value, _, text)| Choice::new(value, text)).to_vec();
    if lives.iter().all(|choice| choice.value != typed.expires_in) {
        lives.insert(0, Choice::new("", "As configured"));
    }
    view! {
        <PostForm action=PAGE>
            <TextArea
                name="emails"
                label="E-mail addresses"
                hint=format!("One a line, or a pasted table with one address in each line. At most {MAX_INVITES_AT_ONCE}.")
                rows=8
                value=typed.emails
                error=wrong_emails
                required=true
                autofocus=autofocus
            />
            <SelectField name="role" label="Role" choices=roles selected=typed.role error=wrong_role />
            <SelectField
                name="expires_in"
                label="Expires in"
                choices=lives
                selected=typed.expires_in
                error=wrong_life
            />
            <TextArea
                name="note"
                label="Note"
                hint="Stands in the mail and on the page of the invite."
                rows=3
                maxlength=u32::try_from(INVITE_NOTE_CHARS).unwrap_or(u32::MAX)
                value=typed.note
                error=wrong_note
                optional=true
            />
            <Button kind=kind>{button}</Button>
        </PostForm>
    }
}

/// What everybody is invited to, as it was when the preview was made.
fn terms_in_words(typed: &Typed) -> String {
    let role = typed.role.parse().map_or("", words::of_role).to_lowercase();
    let life = LIVES.into_iter().find(|(name, ..)| *name == typed.expires_in).map_or("", |(.., text)| text);
    let note = if typed.note.trim().is_empty() { "without a note" } else { "with your note" };
    format!("As {role}, for {life}, {note}. What you change below counts after another preview.")
}

#[component]
pub(super) fn PreviewPage(viewer: Viewer, typed: Typed, previewed: Previewed) -> impl IntoView {
    let summary = previewed.in_words();
    let left_out = previewed.left_out();
    let count = previewed.ready.len();
    let is_too_many = count > MAX_INVITES_AT_ONCE;
    let ready: Vec<String> = previewed.ready.into_iter().map(String::from).collect();
    let listed = ready.iter().map(|email| view! { <li><bdi>{email.clone()}</bdi></li> }).collect_view();
    let button = if count == 1 { "Send 1 invite".to_owned() } else { format!("Send {count} invites") };
    let terms = terms_in_words(&typed);
    let (role, expires_in, note) = (typed.role.clone(), typed.expires_in.clone(), typed.note.clone());
    let send = (count > 0 && !is_too_many).then(|| {
        view! {
            <PostForm action=PAGE>
                <HiddenField name="emails" value=ready.join("\n") />
                <HiddenField name="role" value=role />
                <HiddenField name="expires_in" value=expires_in />
                <HiddenField name="note" value=note />
                <HiddenField name="step" value="send" />
                <p>{terms}</p>
                <details class="more">
                    <summary>"Who is invited"</summary>
                    <ul>{listed}</ul>
                </details>
                <Actions>
                    <Button>{button}</Button>
                    <ButtonLink href="/dashboard/invites" kind=ButtonKind::Quiet>"Cancel"</ButtonLink>
                </Actions>
            </PostForm>
        }
    });
    let too_many = is_too_many.then(|| format!("At most {MAX_INVITES_AT_ONCE} can be invited at once. Take some out."));
    view! {
        <Framed viewer=viewer title="Invite people">
            <Section title="Preview" lead="Nothing is sent yet.">
                <p><strong>{summary}</strong></p>
                {too_many.map(|text| view! { <Alert>{text}</Alert> })}
                {send}
            </Section>
            {(!left_out.is_empty()).then(|| view! { <LeftOut rows=left_out /> })}
            <Section title="Change it">
                <Fields typed=typed button="Preview again" kind=ButtonKind::Quiet />
            </Section>
        </Framed>
    }
}

#[component]
fn LeftOut(rows: Vec<(String, &'static str)>) -> impl IntoView {
    let headers = || view! { <Header text="What" /><Header text="Why it is left out" /> };
    let row = |(what, why): (String, &'static str)| {
        view! { <TableRow><Cell><bdi>{what}</bdi></Cell><Cell label="Why" wide=true>{why}</Cell></TableRow> }
    };
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <Section title="Left out">
            <Table caption="Left out" headers=headers>{rows}</Table>
        </Section>
    }
}

/// What came of one address.
pub(super) struct Row {
    pub email: EmailAddress,
    pub answer: Result<(), Availability>,
    pub link: Option<String>,
}

#[component]
pub(super) fn ResultPage(viewer: Viewer, rows: Vec<Row>, is_mailed: bool) -> impl IntoView {
    let count = rows.iter().filter(|row| row.answer.is_ok()).count();
    let invited = if count == 1 { "1 person is invited.".to_owned() } else { format!("{count} people are invited.") };
    let mail = match (is_mailed, count) {
        (_, 0) => ().into_any(),
        (true, _) => " The mails are on their way.".into_any(),
        (false, _) => view! {
            " No mail was sent: this server sends none. Hand each link to its person alone; you find it again under "
            <a href="/dashboard/mail">"Mail"</a> "."
        }
        .into_any(),
    };
    let headers = move || {
        view! {
            <Header text="E-mail" />
            <Header text="Result" />
            {(!is_mailed).then(|| view! { <Header text="Link" /> })}
        }
    };
    let rows = rows.into_iter().map(|row| view! { <ResultRow row=row is_mailed=is_mailed /> }).collect_view();
    view! {
        <Framed viewer=viewer title="Invite people">
            <Notice>{invited}{mail}</Notice>
            <Table caption="Results" headers=headers>{rows}</Table>
            <Actions>
                <ButtonLink href="/dashboard/invites">"See all invites"</ButtonLink>
                <ButtonLink href=PAGE kind=ButtonKind::Quiet>"Invite more"</ButtonLink>
            </Actions>
        </Framed>
    }
}

#[component]
fn ResultRow(row: Row, is_mailed: bool) -> impl IntoView {
    let (tone, text) = match row.answer {
        Ok(()) => (Tone::Good, "Invited"),
        Err(Availability::AlreadyInvited) => (Tone::Warn, "Already invited"),
        Err(Availability::HasAccount | Availability::Ready) => (Tone::Warn, "Already a user"),
    };
    let link = (!is_mailed)
        .then(|| view! { <Cell label="Link" wide=true>{row.link.map(|link| view! { <code>{link}</code> })}</Cell> });
    view! {
        <TableRow>
            <Cell><bdi>{row.email.to_string()}</bdi></Cell>
            <Cell label="Result"><Badge tone=tone text=text /></Cell>
            {link}
        </TableRow>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_counts_what_there_is() {
        let email = |name: &str| EmailAddress::parse(&format!("{name}@x.org")).unwrap();
        let line = |number| Line { number, text: "x".to_owned() };
        let mut previewed = Previewed { ready: vec![email("a"), email("b")], ..Previewed::default() };
        assert_eq!(previewed.in_words(), "2 ready");
        previewed.users = vec![line(7)];
        previewed.invited = vec![line(3)];
        previewed.wrong = vec![line(4), line(9)];
        previewed.twice = vec![line(5)];
        let words = "2 ready, 1 already a user, 1 already invited, 2 not an e-mail (lines 4 and 9), 1 twice (line 5)";
        assert_eq!(previewed.in_words(), words);
    }
}
