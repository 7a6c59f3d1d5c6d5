//! What attackers try: requests from other sites, sessions that have ended, two at once.

mod connections;
mod cross_site;
mod in_flight;
mod last_admin;
mod locked_out;
mod meanwhile;
mod parallel;
mod passkeys;
mod pre_hijacking;
mod redirects;
mod server_functions;
mod stolen_accounts;
mod strangers;
