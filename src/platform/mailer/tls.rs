//! Whom the mailer believes when a mail server shows its certificate: the public authorities of the web, or, where
//! `mail.smtp.ca_file` names others, those and nobody else. A file that names none is refused at the start, since every
//! mail would wait for it. Called by the settings and by the connection to a mail server.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use lettre::transport::smtp::{
    Error,
    client::{Certificate, CertificateStore, TlsParameters},
};
use serde::{Deserialize, Serialize};

use super::SmtpSettings;

/// What every certificate in PEM begins with (RFC 7468 §5.1).
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// A file with the certificates of authorities in PEM (RFC 7468), as it was read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PathBuf", into = "PathBuf")]
pub struct CaFile {
    path: PathBuf,
    pem: String,
}

/// The file names nobody who could be believed.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCaFile {
    /// It can't be read.
    #[error("{path} can't be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is no certificate in it.
    #[error("{path} holds no certificate in PEM, which begins with `{BEGIN}`")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// What looks like a certificate is none.
    #[error("{path} holds what is no certificate: {source}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What the reader of certificates said.
        source: Error,
    },
}

impl CaFile {
    /// Reads a file and checks all that it holds.
    ///
    /// # Errors
    /// [`InvalidCaFile`] if it can't be read or holds no certificate, or anything that only looks like one.
    pub fn read(path: &Path) -> Result<Self, InvalidCaFile> {
        let path = path.to_owned();
        let pem = match fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(source) => return Err(InvalidCaFile::Read { path, source }),
        };
        if !pem.contains(BEGIN) {
            return Err(InvalidCaFile::Empty { path });
        }
        let file = Self { path, pem };
        match file.parameters("localhost".to_owned()) {
            Ok(_) => Ok(file),
            Err(source) => Err(InvalidCaFile::Broken { path: file.path, source }),
        }
    }

    /// Believes these authorities alone: a private mail server has no business with the public ones.
    fn parameters(&self, host: String) -> Result<TlsParameters, Error> {
        let certificates = Certificate::from_pem(self.pem.as_bytes())?;
        let builder = TlsParameters::builder(host).certificate_store(CertificateStore::None);
        builder.add_root_certificate(certificates).build()
    }
}

impl TryFrom<PathBuf> for CaFile {
    type Error = InvalidCaFile;

    fn try_from(path: PathBuf) -> Result<Self, InvalidCaFile> {
        Self::read(&path)
    }
}

impl From<CaFile> for PathBuf {
    fn from(file: CaFile) -> Self {
        file.path
    }
}

impl fmt::Debug for CaFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CaFile").field(&self.path).finish()
    }
}

/// How the server of these settings has to prove that it is the one.
pub(super) fn parameters(settings: &SmtpSettings) -> Result<TlsParameters, Error> {
    // Certificates name IPv6 addresses without the brackets of a URL.
    let host = settings.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    match &settings.ca_file {
        Some(file) => file.parameters(host),
        None => TlsParameters::new(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::testing::{CA_CERTIFICATE, TempDir};

    #[test]
    fn a_file_that_names_no_authority_is_refused_with_the_reason() {
        let folder = TempDir::new();
        let path = folder.path().join("ca.pem");
        let refusal = |path: &Path| CaFile::read(path).unwrap_err().to_string();
        assert!(refusal(&path).ends_with("ca.pem can't be read: No such file or directory (os error 2)"));
        assert!(refusal(folder.path()).contains("can't be read"));
        for (content, reason) in [
            ("", "no certificate in PEM"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no certificate in PEM"),
            (BEGIN, "what is no certificate"),
            (&format!("{BEGIN}\nAAAA\n-----END CERTIFICATE-----\n"), "what is no certificate"),
            (&format!("{BEGIN}\n!\n-----END CERTIFICATE-----\n"), "what is no certificate"),
        ] {
            fs::write(&path, content).unwrap();
            assert!(refusal(&path).contains(reason), "{content}: {}", refusal(&path));
        }
        fs::write(&path, format!("{CA_CERTIFICATE}{BEGIN}\nAAAA\n-----END CERTIFICATE-----\n")).unwrap();
        assert!(refusal(&path).contains("what is no certificate"), "one that is none spoils the others");
        fs::write(&path, format!("What it is for:\n{CA_CERTIFICATE}\n{CA_CERTIFICATE}")).unwrap();
        assert_eq!(PathBuf::from(CaFile::read(&path).unwrap()), path);
    }
}
