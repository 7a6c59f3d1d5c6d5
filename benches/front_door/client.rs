//! A lean HTTP/1.1 client: one connection that is kept open, requests as bytes, answers with a length or in chunks.
//! Refuses what a server of ours never sends; there is no TLS, no redirect and no pool.

use std::{io::ErrorKind, net::SocketAddr};

use tokio::net::TcpStream;

use crate::Outcome;

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// What a request was answered.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// The body as it came over the wire, without the frames of its chunks.
    pub body: Vec<u8>,
    /// How many bytes came over the wire.
    pub wire_bytes: usize,
}

impl Answer {
    /// The first header with this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 64 * 1024], filled: 0 })
    }

    /// Sends a request and reads its answer.
    pub async fn ask(&mut self, request: &[u8]) -> Outcome<Answer> {
        self.write(request).await?;
        let head_len = self.read_head().await?;
        let head = String::from_utf8_lossy(&self.buffer[..head_len]).into_owned();
        let status = head.get(9..12).and_then(|digits| digits.parse().ok()).ok_or("no status")?;
        let (end, body) = if header(&head, "transfer-encoding") == Some("chunked") {
            self.read_chunks(head_len).await?
        } else {
            let length: usize = header(&head, "content-length").map_or(Ok(0), str::parse)?;
            self.fill_to(head_len + length).await?;
            (head_len + length, self.buffer[head_len..head_len + length].to_vec())
        };
        self.buffer.copy_within(end..self.filled, 0);
        self.filled -= end;
        Ok(Answer { status, head, body, wire_bytes: end })
    }

    async fn write(&mut self, mut bytes: &[u8]) -> Outcome<()> {
        while !bytes.is_empty() {
            match self.stream.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.stream.writable().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn read_head(&mut self) -> Outcome<usize> {
        let mut searched = 0;
        loop {
            let found = self.buffer[searched..self.filled].windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(at) = found {
                return Ok(searched + at + 4);
            }
            searched = self.filled.saturating_sub(3);
            self.read_more().await?;
        }
    }

    async fn read_chunks(&mut self, from: usize) -> Outcome<(usize, Vec<u8>)> {
        let (mut at, mut body) = (from, Vec::new());
        loop {
            let line_end = self.line_end(at).await?;
            let size = usize::from_str_radix(std::str::from_utf8(&self.buffer[at..line_end])?.trim(), 16)?;
            let end = line_end + 2 + size + 2;
            self.fill_to(end).await?;
            body.extend_from_slice(&self.buffer[line_end + 2..end - 2]);
            at = end;
            if size == 0 {
                return Ok((at, body));
            }
        }
    }

    async fn line_end(&mut self, from: usize) -> Outcome<usize> {
        loop {
            if let Some(at) = self.buffer[from..self.filled].windows(2).position(|two| two == b"\r\n") {
                return Ok(from + at);
            }
            self.read_more().await?;
        }
    }

    async fn fill_to(&mut self, wanted: usize) -> Outcome<()> {
        while self.filled < wanted {
            self.read_more().await?;
        }
        Ok(())
    }

    async fn read_more(&mut self) -> Outcome<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
        loop {
            match self.stream.try_read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(read) => {
                    self.filled += read;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.stream.readable().await?,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// A `GET`, with headers of one's own (each ending in a line break).
pub fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/html\r\n{headers}\r\n").into_bytes()
}

/// A form as a browser of this site posts it.
pub fn post(path: &str, body: &str) -> Vec<u8> {
    post_with(path, "", body)
}

/// The same with headers of one's own (each ending in a line break).
pub fn post_with(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/html\r\nsec-fetch-site: same-origin\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}
