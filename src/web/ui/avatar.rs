//! A person as a round with initials, and as a line with name and e-mail.

use leptos::prelude::*;

/// How many tints there are; `style/components.css` has a class for each.
const TINTS: u32 = 6;

/// A round with the initials of a name; decoration beside the name itself.
#[component]
pub fn Avatar(
    /// The name, or the e-mail of someone without one.
    #[prop(into)]
    name: String,
) -> impl IntoView {
    let class = format!("avatar avatar-{}", tint(&name));
    view! { <span class=class aria-hidden="true">{initials(&name)}</span> }
}

/// A person in a list: avatar, name, e-mail; the name links to `href` if there is one.
#[component]
pub fn Person(
    /// The full name; empty for someone who gave none.
    #[prop(into)]
    name: String,
    /// The e-mail address.
    #[prop(into)]
    email: String,
    /// Where the name leads.
    #[prop(optional, into)]
    href: Option<String>,
    /// Whose initials are shown, where the name is not one: the e-mail of someone who gave none.
    #[prop(optional, into)]
    initials_of: Option<String>,
) -> impl IntoView {
    let (first, second) = if name.trim().is_empty() { (email, None) } else { (name, Some(email)) };
    let avatar = initials_of.unwrap_or_else(|| first.clone());
    let first = match href {
        Some(href) => view! { <a class="person-name" href=href><bdi>{first}</bdi></a> }.into_any(),
        None => view! { <span class="person-name"><bdi>{first}</bdi></span> }.into_any(),
    };
    view! {
        <span class="person">
            <Avatar name=avatar />
            <span class="person-text">
                {first}
                {second.map(|email| view! { <span class="person-email"><bdi>{email}</bdi></span> })}
            </span>
        </span>
    }
}

/// The first letters of the first and the last word, upper case; at most two.
fn initials(name: &str) -> String {
    let mut words = name.split('@').next().unwrap_or_default().split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// A tint that stays with the name, so that a person looks the same on every page.
fn tint(name: &str) -> u32 {
    name.chars().fold(0_u32, |sum, c| sum.wrapping_mul(31).wrapping_add(u32::from(c))) % TINTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_at_most_two_letters_of_any_script() {
        for (name, expected) in [
            ("Ada Lovelace", "AL"),
            ("ada", "A"),
            ("李 小龙", "李小"),
            ("Ana María de Souza", "AS"),
            ("bob@x.org", "B"),
            ("", ""),
        ] {
            assert_eq!(initials(name), expected, "{name:?}");
        }
    }
}
