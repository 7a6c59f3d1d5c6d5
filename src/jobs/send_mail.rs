//! Sends what lies in the outbox: one mail at a time, so that a process that is killed leaves one mail of which nobody
//! knows whether it left. A server in trouble stops all mails for a while and counts against none; a mail that is
//! refused waits for itself alone, longer each time, and is given up in the end. The code of a mail is hashed here, since
//! whoever asks for a mail must not be told by the time of the answer whether there is one.

use std::{
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};

use super::letter::{self, House};
use crate::{
    flows::{Services, Written},
    platform::{
        HashError, MailError, Mailer, OneTimeCode, OutgoingMail, Platform, Timestamp, one_time,
        outbox::{self, DueMail},
    },
};

/// How often it looks for mails that another process has written, or that have come due.
const EVERY: Duration = Duration::from_secs(1);
/// How soon it looks again when this process has written a mail, which is told before its transaction ends; then by
/// steps less often.
const SOON: Duration = Duration::from_millis(5);
const STEP: u32 = 4;
/// How often mails are dropped whose link has ended; until then they are only never sent.
const EVERY_DROP: Duration = Duration::from_secs(30);
/// How long a mail in flight may take when the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long all mails wait when the mail server is in trouble: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long a refused mail waits: at first, and at most. Nobody's link is late by more than that when a server recovers.
const BACK_OFFS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(90));
/// How often a mail is refused until it is given up: over an hour, which is longer than servers keep strangers waiting.
const MAX_ATTEMPTS: u32 = 60;
/// How often it is tried to find room to hash a code, and how long each try waits.
const HASH_TRIES: (u32, Duration) = (20, Duration::from_millis(200));
/// How often it is tried to note that a mail was sent; one of which nobody knows is sent again.
const NOTE_TRIES: u32 = 3;

/// What is sent, how, and on whose behalf.
pub struct Post {
    services: Services,
    mailer: Option<Mailer>,
    house: House,
    /// The mail in flight, to be let go if it is cut off.
    in_flight: Mutex<Option<DueMail>>,
    is_stopping: AtomicBool,
    /// When mails were last dropped.
    dropped_at: Mutex<Option<Instant>>,
}

/// What came of trying to send a mail.
enum Sent {
    /// It is dealt with, one way or the other; there may be more.
    Done,
    /// There was none.
    Nothing,
    /// The mail server or the database is in trouble.
    Trouble,
}

impl Post {
    /// Sends by this mailer, or only drops what has ended; links lead to `public_url`.
    pub fn new(services: Services, mailer: Option<Mailer>, (product, public_url): (&'static str, String)) -> Self {
        let house = House { product, public_url };
        let (in_flight, dropped_at) = (Mutex::default(), Mutex::default());
        Self { services, mailer, house, in_flight, is_stopping: AtomicBool::default(), dropped_at }
    }

    fn platform(&self) -> &Platform {
        &self.services.platform
    }

    fn now(&self) -> Timestamp {
        self.platform().clock.now()
    }
}

/// Sends mails until told to stop; then the mail in flight may end.
pub async fn send_until(post: Post, stop: impl Future<Output = ()>) {
    let longest = if post.mailer.is_some() { EVERY } else { EVERY_DROP };
    let (mut wait, mut troubles) = (Duration::ZERO, 0);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            written = tokio::time::timeout(wait, post.platform().outbox.written()) => {
                wait = if written.is_ok() { SOON } else { (wait.max(SOON) * STEP).min(longest) };
            }
        }
        let sending = send_all(&post, &mut troubles);
        tokio::pin!(sending);
        tokio::select! {
            () = &mut sending => {}
            () = &mut stop => {
                let_end(&post, sending).await;
                break;
            }
        }
    }
    if let Some(mailer) = &post.mailer {
        mailer.rest().await;
    }
}

/// Lets the mail in flight end, or lets go of it, so that another process can send it at once.
async fn let_end(post: &Post, sending: impl Future<Output = ()>) {
    post.is_stopping.store(true, Ordering::Relaxed);
    if post.in_flight.lock().await.is_some() {
        let _ = tokio::time::timeout(GRACE, sending).await;
    }
    let Some(mail) = post.in_flight.lock().await.take() else { return };
    if let Err(error) = outbox::release(&post.platform().db, &mail, post.now()).await {
        tracing::warn!(%error, mail = %mail.id, "a mail was cut off and stays claimed for a while");
    }
}

/// Sends what is due, one after the other.
async fn send_all(post: &Post, troubles: &mut u32) {
    let Some(mailer) = &post.mailer else { return drop_ended(post).await };
    while !post.is_stopping.load(Ordering::Relaxed) {
        match send_next(post, mailer, *troubles).await {
            Sent::Done => *troubles = 0,
            Sent::Nothing => break,
            Sent::Trouble if post.is_stopping.load(Ordering::Relaxed) => return,
            Sent::Trouble => {
                *troubles = troubles.saturating_add(1);
                pause(delay(post, PAUSES, *troubles - 1)).await;
                drop_ended(post).await;
            }
        }
    }
    mailer.rest().await;
    drop_ended(post).await;
}

#[expect(clippy::disallowed_methods, reason = "what is in trouble says nothing when it is well again")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Twice as long each time, up to the most; by chance up to a fifth less, so that not all come back at once.
fn delay(post: &Post, (first, most): (Duration, Duration), times: u32) -> Duration {
    let longest = first.saturating_mul(2_u32.saturating_pow(times)).min(most);
    let [chance] = post.platform().entropy.bytes::<1>();
    longest.mul_f64(1.0 - f64::from(chance) / 255.0 / 5.0)
}

async fn drop_ended(post: &Post) {
    let mut dropped_at = post.dropped_at.lock().await;
    if dropped_at.is_some_and(|at| at.elapsed() < EVERY_DROP) {
        return;
    }
    *dropped_at = Some(Instant::now());
    match outbox::drop_ended(&post.platform().db, post.now()).await {
        Ok(0) => {}
        Ok(dropped) => tracing::info!(dropped, "mails were dropped: their links have ended"),
        Err(error) => tracing::warn!(%error, "mails whose links have ended could not be dropped"),
    }
}

async fn send_next(post: &Post, mailer: &Mailer, troubles: u32) -> Sent {
    let Platform { db, outbox, .. } = post.platform();
    let mail = match outbox.claim(db, post.now(), mailer.lease()).await {
        Ok(Some(mail)) => mail,
        Ok(None) => return Sent::Nothing,
        Err(error) => {
            tracing::warn!(%error, "the outbox could not be looked into");
            return Sent::Trouble;
        }
    };
    *post.in_flight.lock().await = Some(mail.clone());
    let sent = match send(post, mailer, (&mail, troubles)).await {
        Ok(sent) => sent,
        Err(error) => {
            tracing::warn!(%error, mail = %mail.id, "what came of a mail could not be noted");
            Sent::Trouble
        }
    };
    *post.in_flight.lock().await = None;
    sent
}

/// Sends a claimed mail, and notes what came of it.
async fn send(post: &Post, mailer: &Mailer, (mail, troubles): (&DueMail, u32)) -> Result<Sent, sqlx::Error> {
    let db = &post.platform().db;
    let written = mail.content.as_deref().and_then(|content| serde_json::from_slice::<Written>(content).ok());
    let Some(written) = written else {
        let reason = "what it says can't be opened: it was sealed with another instance key";
        outbox::give_up(db, mail, (post.now(), reason)).await?;
        return Ok(Sent::Done);
    };
    if !keep_code(post, mail, &written).await? {
        outbox::release(db, mail, post.now()).await?;
        return Ok(Sent::Trouble);
    }
    let letter::Composed { text, html } = letter::compose(&post.house, &written);
    let DueMail { id, recipient, subject, created_at, .. } = mail;
    let outgoing = OutgoingMail { id, recipient, subject, written_at: *created_at, text, html };
    let outcome = mailer.send(outgoing).await;
    note(post, (mail, troubles), outcome).await
}

/// Stores the hash of a mail's code, if it has one that was not stored before; whether there was room to hash.
async fn keep_code(post: &Post, mail: &DueMail, written: &Written) -> Result<bool, sqlx::Error> {
    let (Some(link), Some(token), false) = (&written.link, &mail.token, mail.has_code) else { return Ok(true) };
    let Some(code) = OneTimeCode::parse(&link.code) else { return Ok(true) };
    let platform = post.platform();
    for _ in 0..HASH_TRIES.0 {
        match platform.passwords.hash(code.to_password()).await {
            Ok(hash) => {
                let mut tx = platform.db.begin().await?;
                one_time::set_code(&mut tx, token, &hash).await?;
                tx.commit().await?;
                return Ok(true);
            }
            Err(HashError::Busy { .. }) => pause(HASH_TRIES.1).await,
            Err(HashError::Internal(error)) => {
                tracing::error!(error, mail = %mail.id, "the code of a mail could not be hashed; its link works");
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Notes what came of a mail: (1) taken → sent; (2) the server is in trouble → back, no attempt; (3) put off → later, and
/// given up in the end; (4) refused → given up.
async fn note(
    post: &Post,
    (mail, troubles): (&DueMail, u32),
    outcome: Result<(), MailError>,
) -> Result<Sent, sqlx::Error> {
    let (db, now) = (&post.platform().db, post.now());
    match outcome {
        Ok(()) => {
            note_sent(post, mail).await?;
            tracing::info!(mail = %mail.id, "a mail was sent");
        }
        Err(MailError::Unreachable(reason)) => {
            tracing::warn!(reason, mail = %mail.id, "no mail can be sent, trying again soon");
            // A mail that brings the server down every time must not stand in the way of the others for ever.
            let due_at = now.plus(delay(post, PAUSES, troubles));
            outbox::hold_back(db, mail, (due_at, &reason)).await?;
            return Ok(Sent::Trouble);
        }
        Err(MailError::PutOff(reason)) if mail.attempts + 1 < MAX_ATTEMPTS => {
            tracing::info!(reason, mail = %mail.id, "a mail was put off");
            let due_at = now.plus(delay(post, BACK_OFFS, mail.attempts));
            outbox::put_off(db, mail, (due_at, &reason)).await?;
        }
        Err(MailError::PutOff(reason)) => {
            tracing::warn!(reason, mail = %mail.id, "a mail was put off too often and given up");
            let reason = format!("given up after {MAX_ATTEMPTS} tries; the last answer: {reason}");
            outbox::give_up(db, mail, (now, &reason)).await?;
        }
        Err(MailError::Refused(reason)) => {
            tracing::warn!(reason, mail = %mail.id, "a mail was refused");
            outbox::give_up(db, mail, (now, &reason)).await?;
        }
    }
    Ok(Sent::Done)
}

async fn note_sent(post: &Post, mail: &DueMail) -> Result<(), sqlx::Error> {
    let mut tries = 1;
    loop {
        match outbox::mark_sent(&post.platform().db, mail, post.now()).await {
            Err(error) if tries < NOTE_TRIES => tracing::warn!(%error, mail = %mail.id, "not noted yet as sent"),
            outcome => return outcome,
        }
        tries += 1;
        pause(EVERY).await;
    }
}
