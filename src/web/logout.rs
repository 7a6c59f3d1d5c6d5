//! Log out: no page of its own, a button on others. Ends the session in the database, then takes the cookie away; logging
//! out twice is as good as once.

use leptos::prelude::*;

use super::http::{
    flash::Done,
    form::{Origin, current_call},
    next::OwnPath,
};
use crate::{flows, shared::FormError};

/// Ends the session of the one who asks, and goes on where they wanted to be somebody else.
///
/// # Errors
/// [`FormError::Internal`], to scripts.
#[server(endpoint = "logout")]
pub async fn logout(
    /// Where to go on: a path of this site.
    #[server(default)]
    next: String,
) -> Result<(), FormError> {
    let call = current_call()?;
    if let Some(holder) = call.holder()
        && let Err(error) = flows::log_out_holder(call.services(), call.scope(), &holder).await
    {
        return call.refuse_for(Origin::new("logout", "/login"), error);
    }
    call.log_out().await?;
    call.go_on(&OwnPath::parse(&next).unwrap_or_else(|| OwnPath::known("/login")), Some(Done::LoggedOut))
}
