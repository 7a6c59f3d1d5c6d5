//! Made-up people: names from many languages, some more common than others, addresses at big and small providers. The
//! same ones each time.

use std::fmt::Write as _;

const FIRST_NAMES: &str = "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard \
    Susan Joseph Jessica Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew Betty Anthony Sandra Mark \
    Margaret Donald Ashley Steven Kimberly Andrew Emily Paul Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian \
    Melissa George Deborah Timothy Stephanie Ada Ana Anna Lena Jonas Felix Marie Sofia Luca Mateo Noah Emma Olivia Liam \
    Zoe Yara Yusuf Fatima Aisha Omar Chen Wei Li Hiro Yuki Sakura Raj Priya Arjun Ivan Olga Dmitri Søren Björn Åsa \
    Zofia Łukasz Jiří Noël Chloé André Renée Xavier Quentin Ulrich Wanda Viktor";
const LAST_NAMES: &str = "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez \
    Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis \
    Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera \
    Campbell Mitchell Carter Roberts Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Rossi \
    Russo Ferrari Bianchi Dubois Moreau Laurent Lefebvre Kowalski Nowak Wójcik Novák Svoboda Ivanov Petrov Sidorov \
    Tanaka Suzuki Sato Watanabe Kim Park Choi Wang Zhang Liu Chen Singh Kumar Patel Shah Khan Ahmed Ali Hassan Silva \
    Santos Oliveira Souza Lovelace Turing Hopper Knuth Dijkstra Lamport Liskov Kernighan Ritchie Pike Cox Torvalds \
    Hamilton Johansson Nilsson Larsson Andersen Nielsen Hansen Virtanen Korhonen Nieminen Papadopoulos Yilmaz Demir \
    Kaya Popescu Horvat Zimmermann Braun Krüger Hofmann Hartmann Lange Werner Krause Meier Lehmann Köhler Maier Berger \
    Vogel Keller Frank Huber Kaiser Fuchs Peters Lang Scholz Möller Weiss Jung Hahn Schubert Vogt Friedrich Stein Jäger \
    Otto Groß Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martens Schumacher";
const DOMAINS: &str = "mail.example post.example inbox.example letters.example gmx.example quick.example acme.example.com \
    globex.example.com initech.example.com umbrella.example.com wayne.example.com wonka.example.com hooli.example.com \
    soylent.example.com vandelay.example.com dunder.example.com massive.example.com aperture.example.com";
/// Users came to exist evenly from then on, in microseconds.
const SINCE: i64 = 1_650_000_000_000_000;
const UNTIL: i64 = 1_763_000_000_000_000;
const DAY: i64 = 86_400_000_000;

/// A row of `users`, in the order of [`COLUMNS`].
pub struct Person {
    /// The values; `None` is NULL.
    pub values: [Option<String>; 13],
}

/// The columns that a [`Person`] fills.
pub const COLUMNS: &str = "id, email, email_verified_at, first_name, last_name, role, metadata, disabled_at, last_login_at, \
    created_at, updated_at, name_key, search_text";

/// Makes people, one after another.
pub struct People {
    seed: u64,
    made: i64,
    total: i64,
    names: [Vec<&'static str>; 3],
}

impl People {
    /// So many people.
    pub fn new(total: usize) -> Self {
        let names = [FIRST_NAMES, LAST_NAMES, DOMAINS].map(|names| names.split_whitespace().collect());
        Self { seed: 0x9E37_79B9_7F4A_7C15, made: 0, total: i64::try_from(total).unwrap_or(i64::MAX), names }
    }

    /// Xorshift: even enough for names, and the same each time.
    fn draw(&mut self, below: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 11) % below
    }

    /// The first ones more often than the last ones.
    fn pick(&mut self, list: usize) -> &'static str {
        let drawn = self.draw(10_000);
        let count = self.names[list].len() as u64;
        let at = usize::try_from(drawn * drawn * count / 100_000_000).unwrap_or(0);
        self.names[list][at]
    }
}

impl Iterator for People {
    type Item = Person;

    fn next(&mut self) -> Option<Person> {
        if self.made == self.total {
            return None;
        }
        let number = self.made;
        self.made += 1;
        let (first, last, domain) = (self.pick(0), self.pick(1), self.pick(2));
        let created = SINCE + (UNTIL - SINCE) / self.total * number;
        let email = format!("{}{number:x}@{domain}", local_part(first, last, self.draw(4)));
        let is_named = self.draw(20) > 0;
        let name_key = if is_named { format!("{first} {last}").to_lowercase() } else { String::new() };
        let search_text = format!("{email}\u{1f}{name_key}");
        let text = |text: &str| Some(text.to_owned());
        Some(Person {
            values: [
                Some(uuid_v7(created, self.draw(1 << 48))),
                Some(email),
                (self.draw(10) > 0).then(|| (created + 60_000_000).to_string()),
                text(first).filter(|_| is_named),
                text(last).filter(|_| is_named),
                text(if self.draw(5_000) == 0 { "admin" } else { "member" }),
                text("{}"),
                (self.draw(100) == 0).then(|| (created + DAY).to_string()),
                (self.draw(10) > 2).then(|| (created + 30 * DAY).to_string()),
                Some(created.to_string()),
                Some(created.to_string()),
                Some(name_key),
                Some(search_text),
            ],
        })
    }
}

fn local_part(first: &str, last: &str, kind: u64) -> String {
    let (first, last) = (plain(first), plain(last));
    match kind {
        0 => format!("{first}.{last}"),
        1 => format!("{}{last}", &first[..1]),
        2 => format!("{first}{}", &last[..1]),
        _ => format!("{last}.{first}"),
    }
}

/// The letters without what stands above or through them, more or less.
fn plain(name: &str) -> String {
    let ascii = name.chars().map(|c| match c {
        'ø' | 'ö' | 'ó' => 'o',
        'Å' | 'ä' | 'á' => 'a',
        'Ł' => 'l',
        'ř' => 'r',
        'í' => 'i',
        'ë' | 'é' => 'e',
        'ü' => 'u',
        'ß' => 's',
        other => other.to_ascii_lowercase(),
    });
    ascii.collect()
}

fn uuid_v7(micros: i64, random: u64) -> String {
    let millis = micros / 1_000;
    let mut text = String::new();
    let (high, low) = (millis >> 16, millis & 0xffff);
    let _ = write!(text, "{high:08x}-{low:04x}-7{:03x}-8{:03x}-{random:012x}", random & 0xfff, random >> 36 & 0xfff);
    text
}
