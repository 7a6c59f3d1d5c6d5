//! What holds for the outbox on both databases.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::platform::{
    Db, NewOneTime, Purpose, one_time,
    testing::{TempDir, TestDb, on_both_databases},
};

on_both_databases!(
    a_mail_is_claimed_once_and_sent_once,
    of_many_senders_each_mail_goes_to_one,
    a_claim_ends_by_time,
    mails_to_one_person_keep_their_order,
    what_was_refused_comes_later_and_can_be_given_up,
    a_failed_mail_can_be_tried_again_until_it_ends,
    mails_whose_link_has_ended_are_dropped,
    the_list_is_filtered_and_paged,
    what_is_long_over_is_swept_away,
);

const LEASE: Duration = Duration::from_secs(30);
const LINK: Purpose = Purpose { name: "link", lifetime: Duration::from_mins(15), replaces: true };

fn at(secs: u64) -> Timestamp {
    Timestamp::from_micros(1_795_000_000_000_000).plus(Duration::from_secs(secs))
}

fn outbox() -> (Outbox, TempDir) {
    let folder = TempDir::new();
    let entropy = Entropy::from_os().unwrap();
    let seal = Seal::load_or_create(&folder.path().join("key"), &entropy).unwrap();
    (Outbox::new(seal, entropy, true), folder)
}

async fn put(db: &Db, outbox: &Outbox, to: &str, now: Timestamp) -> MailId {
    let recipient = EmailAddress::parse(to).unwrap();
    let content = json!({ "to": to });
    let mail = NewMail {
        kind: "test",
        recipient: &recipient,
        subject: "A test",
        content: &content,
        token: None,
        expires_at: now.plus(Duration::from_hours(1)),
    };
    let mut tx = db.begin().await.unwrap();
    let id = outbox.put(&mut tx, now, mail).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn put_link(db: &Db, outbox: &Outbox, to: &str, now: Timestamp) -> (MailId, OneTimeId) {
    let recipient = EmailAddress::parse(to).unwrap();
    let mut tx = db.begin().await.unwrap();
    let new = NewOneTime {
        purpose: LINK,
        subject: to,
        email: &recipient,
        data: Value::Null,
        expires_at: now.plus(LINK.lifetime),
    };
    let issued = one_time::issue(&mut tx, &outbox.entropy, now, new).await.unwrap();
    let mail = NewMail {
        kind: "link",
        recipient: &recipient,
        subject: "A link",
        content: &Value::Null,
        token: Some(&issued.id),
        expires_at: issued.expires_at,
    };
    let id = outbox.put(&mut tx, now, mail).await.unwrap();
    tx.commit().await.unwrap();
    (id, issued.id)
}

async fn claimed(test: &TestDb, outbox: &Outbox, now: Timestamp) -> Option<DueMail> {
    outbox.claim(&test.db, now, LEASE).await.unwrap()
}

async fn state(test: &TestDb, id: &MailId) -> MailState {
    find(&test.db, id).await.unwrap().unwrap().state
}

async fn a_mail_is_claimed_once_and_sent_once(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (outbox, _folder) = outbox();
    let id = put(&test.db, &outbox, "ada@example.org", at(0)).await;
    let mail = claimed(test, &outbox, at(0)).await.expect("it is due");
    assert_eq!((&mail.id, mail.recipient.as_str(), mail.attempts), (&id, "ada@example.org", 0));
    assert_eq!(mail.content.as_deref(), Some(br#"{"to":"ada@example.org"}"#.as_slice()));
    assert!(claimed(test, &outbox, at(1)).await.is_none(), "it is claimed");
    release(&test.db, &mail, at(1)).await.unwrap();
    let mail = claimed(test, &outbox, at(1)).await.expect("it was released");
    mark_sent(&test.db, &mail, at(2)).await.unwrap();
    assert!(claimed(test, &outbox, at(1_000)).await.is_none(), "it was sent");
    let sent = find(&test.db, &id).await.unwrap().unwrap();
    assert_eq!((sent.state, sent.changed_at, sent.is_kept()), (MailState::Sent, at(2), false));
}

async fn of_many_senders_each_mail_goes_to_one(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (outbox, _folder) = outbox();
    for number in 0..40 {
        put(&test.db, &outbox, &format!("person{number}@example.org"), at(0)).await;
    }
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (db, outbox) = (test.open_again().await, outbox.clone());
        senders.spawn(async move {
            let mut sent = Vec::new();
            while let Some(mail) = outbox.claim(&db, at(1), LEASE).await.unwrap() {
                mark_sent(&db, &mail, at(1)).await.unwrap();
                sent.push(mail.id);
            }
            db.close().await;
            sent
        });
    }
    let sent = senders.join_all().await.concat();
    assert_eq!(sent.len(), 40);
    assert_eq!(sent.into_iter().collect::<HashSet<_>>().len(), 40);
}

async fn a_claim_ends_by_time(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (outbox, _folder) = outbox();
    put(&test.db, &outbox, "ada@example.org", at(0)).await;
    let lost = claimed(test, &outbox, at(0)).await.unwrap();
    assert!(claimed(test, &outbox, at(29)).await.is_none());
    let again = claimed(test, &outbox, at(30)).await.expect("the first sender is gone");
    // What the first one says now no longer counts, except that it has sent the mail.
    give_up(&test.db, &lost, (at(31), "late")).await.unwrap();
    put_off(&test.db, &lost, (at(99), "late")).await.unwrap();
    assert_eq!(state(test, &again.id).await, MailState::Waiting);
    mark_sent(&test.db, &lost, at(31)).await.unwrap();
    assert_eq!(state(test, &again.id).await, MailState::Sent);
}

async fn mails_to_one_person_keep_their_order(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (outbox, _folder) = outbox();
    let first = put(&test.db, &outbox, "ada@example.org", at(0)).await;
    let second = put(&test.db, &outbox, "ada@example.org", at(1)).await;
    let other = put(&test.db, &outbox, "bob@example.org", at(2)).await;
    let mail = claimed(test, &outbox, at(3)).await.unwrap();
    assert_eq!(mail.id, first);
    put_off(&test.db, &mail, (at(60), "450 later")).await.unwrap();
    let mail = claimed(test, &outbox, at(3)).await.unwrap();
    assert_eq!(mail.id, other, "another person does not wait");
    mark_sent(&test.db, &mail, at(3)).await.unwrap();
    assert!(claimed(test, &outbox, at(3)).await.is_none(), "the second mail waits for the first");
    let mail = claimed(test, &outbox, at(60)).await.unwrap();
    assert_eq!((&mail.id, mail.attempts), (&first, 1));
    give_up(&test.db, &mail, (at(60), "550 no")).await.unwrap();
    assert_eq!(claimed(test, &outbox, at(60)).await.unwrap().id, second);
}

async fn what_was_refused_comes_later_and_can_be_given_up(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (outbox, _folder) = outbox();
    let id = put(&test.db, &outbox, "ada@example.org", at(0)).await;
    let mail = claimed(test, &outbox, at(0)).await.unwrap();
    hold_back(&test.db, &mail, (at(5), "nobody answers")).await.unwrap();
    assert!(claimed(test, &outbox, at(4)).await.is_none());
    let mail = claimed(test, &outbox, at(5)).await.unwrap();
    assert_eq!(mail.attempts, 0, "it was not the mail's fault");
    give_up(&test.db, &mail, (at(6), "550 no\r\nsuch user")).await.unwrap();
    let failed = find(&test.db, &id).await.unwrap().unwrap();
    assert_eq!((failed.state, failed.is_kept(), failed.attempts), (MailState::Failed, true, 1));
    assert_eq!(failed.reason.as_deref(), Some("550 no  such user"));
    assert!(claimed(test, &outbox, at(60)).await.is_none());
}

async fn a_failed_mail_can_be_tried_again_until_it_ends(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (outbox, _folder) = outbox();
    let id = put(&test.db, &outbox, "ada@example.org", at(0)).await;
    let retried = async |now| {
        let mut tx = test.db.begin().await.unwrap();
        let is_retried = outbox.retry(&mut tx, &id, now).await.unwrap();
        tx.commit().await.unwrap();
        is_retried
    };
    let mail = claimed(test, &outbox, at(0)).await.unwrap();
    assert!(!retried(at(1)).await, "it is on its way");
    give_up(&test.db, &mail, (at(1), "550 no")).await.unwrap();
    assert!(retried(at(2)).await);
    let mail = claimed(test, &outbox, at(2)).await.expect("it is due again");
    assert_eq!(mail.attempts, 0);
    give_up(&test.db, &mail, (at(3), "550 no")).await.unwrap();
    assert_eq!(drop_ended(&test.db, at(3_600)).await.unwrap(), 1);
    let failed = find(&test.db, &id).await.unwrap().unwrap();
    assert_eq!((failed.state, failed.is_kept()), (MailState::Failed, false));
    assert!(!retried(at(3_601)).await, "there is nothing left to send");
}

async fn mails_whose_link_has_ended_are_dropped(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (outbox, _folder) = outbox();
    let (by_time, _) = put_link(&test.db, &outbox, "a@example.org", at(0)).await;
    let (replaced, _) = put_link(&test.db, &outbox, "b@example.org", at(600)).await;
    let (newer, _) = put_link(&test.db, &outbox, "b@example.org", at(601)).await;
    let (used, token) = put_link(&test.db, &outbox, "c@example.org", at(601)).await;
    let mut tx = test.db.begin().await.unwrap();
    assert!(one_time::use_up(&mut tx, &token, at(602)).await.unwrap());
    tx.commit().await.unwrap();
    let deleted = put_link(&test.db, &outbox, "d@example.org", at(601)).await.0;
    let mut tx = test.db.begin().await.unwrap();
    one_time::delete_all(&mut tx, "d@example.org").await.unwrap();
    tx.commit().await.unwrap();
    let mail = claimed(test, &outbox, at(901)).await.expect("a dead link holds up nobody");
    assert_eq!((&mail.id, mail.has_code), (&newer, false));
    assert!(claimed(test, &outbox, at(901)).await.is_none(), "no dead link is sent");
    assert_eq!(drop_ended(&test.db, at(901)).await.unwrap(), 4);
    for id in [by_time, replaced, used, deleted] {
        let mail = find(&test.db, &id).await.unwrap().unwrap();
        assert_eq!((mail.state, mail.is_kept()), (MailState::Dropped, false));
    }
    let mut tx = test.db.begin().await.unwrap();
    one_time::set_code(&mut tx, mail.token.as_ref().unwrap(), "hash").await.unwrap();
    tx.commit().await.unwrap();
    assert!(claimed(test, &outbox, at(931)).await.unwrap().has_code);
}

async fn the_list_is_filtered_and_paged(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (outbox, _folder) = outbox();
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.insert(0, put(&test.db, &outbox, &format!("person_{number}@example.org"), at(number)).await);
    }
    let listed = async |filter, page: &Page| {
        let list = list(&test.db, filter, page, 3).await.unwrap();
        let ids: Vec<MailId> = list.mails.into_iter().map(|mail| mail.id).collect();
        (ids, list.has_previous, list.has_next)
    };
    assert_eq!(listed((None, None), &Page::First).await, (ids[..3].to_vec(), false, true));
    assert_eq!(listed((None, None), &Page::After(ids[2].clone())).await, (ids[3..6].to_vec(), true, true));
    assert_eq!(listed((None, None), &Page::After(ids[5].clone())).await, (ids[6..].to_vec(), true, false));
    assert_eq!(listed((None, None), &Page::Before(ids[3].clone())).await, (ids[..3].to_vec(), false, true));
    let sent = claimed(test, &outbox, at(10)).await.unwrap();
    mark_sent(&test.db, &sent, at(10)).await.unwrap();
    let failed = claimed(test, &outbox, at(10)).await.unwrap();
    give_up(&test.db, &failed, (at(10), "no")).await.unwrap();
    for (mail, wanted) in [(sent, MailState::Sent), (failed, MailState::Failed)] {
        assert_eq!(listed((Some(wanted), None), &Page::First).await.0, [mail.id]);
        assert_eq!(count(&test.db, wanted).await.unwrap(), Some(1));
    }
    assert_eq!(count(&test.db, MailState::Waiting).await.unwrap(), Some(5));
    assert_eq!(listed((Some(MailState::Dropped), None), &Page::First).await.0, []);
    assert_eq!(listed((None, Some(" SON_6@")), &Page::First).await.0, ids[..1]);
    for nobody in ["%", "person%", "p_rson", "\\"] {
        assert_eq!(listed((None, Some(nobody)), &Page::First).await.0, [], "{nobody}");
    }
}

async fn what_is_long_over_is_swept_away(test: &TestDb) {
    test.db.migrate().await.unwrap();
    let (outbox, _folder) = outbox();
    let sent = put(&test.db, &outbox, "a@example.org", at(0)).await;
    let mail = claimed(test, &outbox, at(0)).await.unwrap();
    mark_sent(&test.db, &mail, at(0)).await.unwrap();
    let waiting = put(&test.db, &outbox, "b@example.org", at(0)).await;
    let kept = Duration::from_hours(30 * 24);
    assert_eq!(outbox.sweep(&test.db, at(0).plus(kept).minus(Duration::from_secs(1))).await.unwrap(), 0);
    let later = at(10).plus(kept);
    assert_eq!(outbox.sweep(&test.db, later).await.unwrap(), 1);
    assert_eq!(find(&test.db, &sent).await.unwrap(), None);
    assert_eq!(drop_ended(&test.db, later).await.unwrap(), 1);
    assert_eq!(outbox.sweep(&test.db, later).await.unwrap(), 1);
    assert_eq!(find(&test.db, &waiting).await.unwrap(), None);
}
