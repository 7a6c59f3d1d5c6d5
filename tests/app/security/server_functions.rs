//! The addresses of the server functions are a contract: forms, logs and rate limits of others refer to them.

/// Every server function there is.
pub const ENDPOINTS: [&str; 44] = [
    "/api/accept-invite",
    "/api/accept-invite-with",
    "/api/add-passkey",
    "/api/ask-for-invite",
    "/api/change-email",
    "/api/change-password",
    "/api/change-role",
    "/api/delete-invite",
    "/api/delete-user",
    "/api/disable-user",
    "/api/enable-user",
    "/api/end-user-sessions",
    "/api/forgot-password",
    "/api/invite",
    "/api/link-provider",
    "/api/login",
    "/api/login-with",
    "/api/login-with-passkey",
    "/api/logout",
    "/api/new-passkey-options",
    "/api/passkey-options",
    "/api/profile",
    "/api/register",
    "/api/rehearse-provider",
    "/api/remove-passkey",
    "/api/rename-passkey",
    "/api/renew-link",
    "/api/resend-invite",
    "/api/reset-password",
    "/api/retry-delivery",
    "/api/retry-mail",
    "/api/revoke-invite",
    "/api/revoke-other-sessions",
    "/api/revoke-session",
    "/api/send-again",
    "/api/send-test-mail",
    "/api/send-test-webhook",
    "/api/setup",
    "/api/show-invite-link",
    "/api/show-mail-link",
    "/api/unlink-provider",
    "/api/use-code",
    "/api/use-link",
    "/api/void-link",
];

#[test]
fn the_addresses_of_server_functions_are_these() {
    let mut found: Vec<String> = leptos::server_fn::axum::server_fn_paths()
        .map(|(path, method)| {
            assert_eq!(method, axum::http::Method::POST, "{path} changes something, so it is posted");
            path.to_owned()
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, ENDPOINTS);
}
