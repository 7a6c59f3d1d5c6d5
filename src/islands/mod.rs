//! The few pieces of a page that run in the browser, compiled for the server and for WebAssembly.
//! They improve what works without them: each is plain HTML first, and may use `shared` and nothing else of the server.
//! What needs a browser stands in event handlers and effects, which a server never runs; so the same code compiles for
//! both, and no `cfg` is needed. A page that holds no island loads neither script nor WebAssembly.
//! An island holds no other island and no children; `public/islands.js` starts them in the order of the document.

mod new_passkey;
mod passkey_drawing;
mod passkey_log_in;
mod password_field;
mod send_again;
mod web_authn;

pub use new_passkey::NewPasskey;
pub use passkey_drawing::PasskeyDrawing;
pub use passkey_log_in::PasskeyLogIn;
pub use password_field::PasswordField;
pub use send_again::SendAgain;
