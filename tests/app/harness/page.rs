//! An answer of the server, and what a person or a script reads in it.

use reqwest::{
    Response,
    header::{HeaderMap, LOCATION, RETRY_AFTER, SET_COOKIE},
};
use serde_json::Value;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Page {
    /// Reads an answer to its end.
    pub async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.text().await.expect("the body arrives");
        Self { status, headers, body }
    }

    /// A header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Where the answer sends, by redirect or by the header for scripts.
    pub fn location(&self) -> Option<String> {
        self.header(LOCATION.as_str()).map(str::to_owned)
    }

    /// After how many seconds to try again.
    pub fn retry_after_secs(&self) -> Option<u32> {
        self.header(RETRY_AFTER.as_str()).map(|secs| secs.parse().unwrap())
    }

    /// Names and values of the cookies that it sets; an empty value takes one away.
    pub fn cookies(&self) -> Vec<(String, String)> {
        let pair = |line: &str| {
            let (name, value) = line.split(';').next().unwrap_or("").split_once('=').unwrap_or_default();
            let is_gone = line.to_ascii_lowercase().contains("max-age=0");
            (name.to_owned(), if is_gone { String::new() } else { value.to_owned() })
        };
        self.set_cookies().iter().map(|line| pair(line)).collect()
    }

    /// The lines of `Set-Cookie`.
    pub fn set_cookies(&self) -> Vec<String> {
        self.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code with which a script was refused.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// What stands in the tab.
    pub fn title(&self) -> String {
        self.elements("title").first().map(|(_, text)| visible(text)).unwrap_or_default()
    }

    /// What a person reads, in one line.
    pub fn text(&self) -> String {
        visible(self.body.split_once("<body").map_or(self.body.as_str(), |(_, body)| after_tag(body)))
    }

    /// What the field of this name holds.
    pub fn value_of(&self, name: &str) -> Option<String> {
        self.values_of(name).into_iter().next()
    }

    /// What all fields of this name hold; those of several lines come last.
    pub fn values_of(&self, name: &str) -> Vec<String> {
        let is_named = |tag: &str| attribute(tag, "name").as_deref() == Some(name);
        let inputs = self.tags("input").into_iter().filter(|tag| is_named(tag));
        let lines = self.elements("textarea").into_iter().filter(|(tag, _)| is_named(tag));
        // A browser drops the first line break.
        let lines = lines.map(|(_, inner)| unescaped(inner.strip_prefix('\n').unwrap_or(inner)));
        inputs.map(|tag| attribute(tag, "value").unwrap_or_default()).chain(lines).collect()
    }

    /// Where the link with this text leads.
    pub fn link(&self, text: &str) -> Option<String> {
        let found = self.elements("a").into_iter().find(|(_, inner)| visible(inner).contains(text))?;
        attribute(found.0, "href")
    }

    /// What stands in each cell of each row of the page's tables, headings not counted.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let cells = |row: &str| cells_of(row).into_iter().map(|cell| visible(&cell)).collect::<Vec<_>>();
        self.elements("tr").into_iter().map(|(_, row)| cells(row)).filter(|row| !row.is_empty()).collect()
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub fn expect_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.shown());
        self
    }

    /// Fails unless it sends to exactly this path.
    #[track_caller]
    pub fn expect_redirect(&self, path: &str) -> &Self {
        assert_eq!(self.location().as_deref(), Some(path), "{}", self.shown());
        self
    }

    /// Fails unless a person reads this.
    #[track_caller]
    pub fn expect_text(&self, text: &str) -> &Self {
        assert!(self.text().contains(text), "{text:?} is not in {}", self.shown());
        self
    }

    /// Fails if a person reads this.
    #[track_caller]
    pub fn expect_no_text(&self, text: &str) -> &Self {
        assert!(!self.text().contains(text), "{text:?} is in {}", self.shown());
        self
    }

    fn shown(&self) -> String {
        format!(
            "{} {:?}: {}",
            self.status,
            self.location(),
            if self.body.contains("<body") { self.text() } else { self.body.clone() }
        )
    }

    /// The insides of the tags `<name …>`.
    fn tags(&self, name: &str) -> Vec<&str> {
        self.elements(name).into_iter().map(|(tag, _)| tag).collect()
    }

    /// Each element of this name: the inside of its tag, and all up to its end.
    fn elements(&self, name: &str) -> Vec<(&str, &str)> {
        let open = format!("<{name}");
        let mut found = Vec::new();
        for (at, _) in self.body.match_indices(&open) {
            let rest = &self.body[at + open.len()..];
            if rest.starts_with([' ', '>', '/', '\n']) {
                let (tag, after) = rest.split_at(end_of_tag(rest));
                let inner = after.split_once(&format!("</{name}>")).map_or("", |(inner, _)| inner);
                found.push((tag, inner.trim_start_matches('>')));
            }
        }
        found
    }
}

fn cells_of(row: &str) -> Vec<String> {
    row.split("<td").skip(1).map(|cell| format!("<td{}", cell.split("</td>").next().unwrap_or(""))).collect()
}

/// Where a tag ends, quotes respected.
fn end_of_tag(text: &str) -> usize {
    let mut is_quoted = false;
    let end = text.char_indices().find(|(_, c)| {
        is_quoted ^= *c == '"';
        *c == '>' && !is_quoted
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// What follows the tag in which `text` begins.
fn after_tag(text: &str) -> &str {
    text.get(end_of_tag(text) + 1..).unwrap_or("")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| unescaped(value))
}

/// Text without tags, scripts and styles, with white space as a browser shows it.
fn visible(html: &str) -> String {
    let mut rest = html;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let hidden = ["script", "style", "noscript", "!--"].into_iter().find(|name| after.starts_with(name));
        rest = match hidden {
            Some("!--") => after.split_once("-->").map_or("", |(_, rest)| rest),
            Some(name) => after.split_once(&format!("</{name}>")).map_or("", |(_, rest)| rest),
            None => {
                if !is_inline(after) {
                    text.push(' ');
                }
                after_tag(after)
            }
        };
    }
    text.push_str(rest);
    unescaped(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Tags between which a word goes on.
fn is_inline(tag: &str) -> bool {
    let name = tag.trim_start_matches('/').split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    ["a", "b", "bdi", "code", "em", "i", "span", "strong", "time"].contains(&name)
}

fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    entities.into_iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Page {
        Page { status: 200, headers: HeaderMap::new(), body: body.to_owned() }
    }

    #[test]
    fn a_page_is_read_as_a_person_reads_it() {
        let page = page(
            "<head><title>Log in · Latchkey</title></head><body><!--<h1>no</h1>--><h1>Log\n in</h1><p>a <b>b</b> c &lt;i&gt; \
             &amp;lt;</p><script>no</script><input name=\"q\" value=\"x &gt; &quot;y&quot;\"><a href=\"/n?a=1&amp;b=2\">Next <span>→</span></a>",
        );
        assert_eq!(page.title(), "Log in · Latchkey");
        assert_eq!(page.text(), "Log in a b c <i> &lt; Next →");
        assert_eq!(page.value_of("q").as_deref(), Some("x > \"y\""));
        assert_eq!(page.link("Next").as_deref(), Some("/n?a=1&b=2"));
        assert_eq!(page.value_of("z"), None);
    }

    #[test]
    fn tables_are_read_by_rows() {
        let page = page("<table><tr><th>Name</th></tr><tr><td>Ada</td><td><a href=\"x\">a@b</a></td></tr></table>");
        assert_eq!(page.rows(), [["Ada", "a@b"]]);
    }
}
