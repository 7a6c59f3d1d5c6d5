//! `[limits]`: how often what may be tried. Each is on by default.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Limit;

const MINUTE: Duration = Duration::from_mins(1);

/// `[limits]`. Each value is `tries/duration` or `off`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Log-ins from one IP address (IPv6: one /64), right or wrong. High enough for an office behind one address.
    pub log_in_per_ip: Limit,
    /// Log-ins from one IP address with one e-mail address, whether it is known or not.
    pub log_in_per_account: Limit,
    /// Log-ins with one e-mail address from everywhere. Bounds guessing from many places, and is wide enough that a few
    /// tries of others do not lock the owner out.
    pub log_in_per_account_anywhere: Limit,
    /// Passkeys that are asked for from one IP address. The log-in page asks for one each time that it is opened.
    pub ask_passkey_per_ip: Limit,
    /// Registrations from one IP address.
    pub register_per_ip: Limit,
    /// Registrations of one e-mail address.
    pub register_per_account: Limit,
    /// Tries of the current password by a logged-in user.
    pub change_password_per_account: Limit,
    /// Tries of the set-up token from one IP address.
    pub setup_per_ip: Limit,
    /// Forgotten passwords from one IP address, and as many log-ins by mail.
    pub recover_per_ip: Limit,
    /// Mails with a link for one e-mail address that said to have forgotten its password, and as many to log in by. What is
    /// beyond gets the same answer and no mail: the links before it work.
    pub recover_per_account: Limit,
    /// Other mails that people ask for at one e-mail address: to confirm it, to change to it.
    pub mail_per_account: Limit,
    /// Codes and links that are tried from one IP address.
    pub code_per_ip: Limit,
    /// Codes that are tried from one IP address for one e-mail address.
    pub code_per_account: Limit,
    /// Codes that are tried for one e-mail address from everywhere, beside the tries that each code has. Wide enough that
    /// wrong codes of others do not keep the owner from typing the right one.
    pub code_per_account_anywhere: Limit,
    /// Invites that are accepted from one IP address.
    pub accept_invite_per_ip: Limit,
    /// Tests that one admin sends to one webhook.
    pub test_webhook_per_admin: Limit,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            log_in_per_ip: Limit::new(60, MINUTE),
            log_in_per_account: Limit::new(10, MINUTE * 5),
            log_in_per_account_anywhere: Limit::new(200, MINUTE * 60),
            ask_passkey_per_ip: Limit::new(300, MINUTE),
            register_per_ip: Limit::new(20, MINUTE * 10),
            register_per_account: Limit::new(5, MINUTE * 10),
            change_password_per_account: Limit::new(10, MINUTE * 10),
            setup_per_ip: Limit::new(10, MINUTE * 10),
            recover_per_ip: Limit::new(30, MINUTE * 10),
            recover_per_account: Limit::new(5, MINUTE * 15),
            mail_per_account: Limit::new(5, MINUTE * 10),
            code_per_ip: Limit::new(60, MINUTE * 10),
            code_per_account: Limit::new(20, MINUTE * 60),
            code_per_account_anywhere: Limit::new(200, MINUTE * 60),
            accept_invite_per_ip: Limit::new(60, MINUTE * 10),
            test_webhook_per_admin: Limit::new(10, MINUTE * 10),
        }
    }
}

impl LimitSettings {
    /// All limits off, for measurements.
    pub const fn off() -> Self {
        Self {
            log_in_per_ip: Limit::OFF,
            log_in_per_account: Limit::OFF,
            log_in_per_account_anywhere: Limit::OFF,
            ask_passkey_per_ip: Limit::OFF,
            register_per_ip: Limit::OFF,
            register_per_account: Limit::OFF,
            change_password_per_account: Limit::OFF,
            setup_per_ip: Limit::OFF,
            recover_per_ip: Limit::OFF,
            recover_per_account: Limit::OFF,
            mail_per_account: Limit::OFF,
            code_per_ip: Limit::OFF,
            code_per_account: Limit::OFF,
            code_per_account_anywhere: Limit::OFF,
            accept_invite_per_ip: Limit::OFF,
            test_webhook_per_admin: Limit::OFF,
        }
    }
}
