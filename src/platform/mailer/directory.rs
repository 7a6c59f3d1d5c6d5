//! Mails as files: each is an `.eml` in a directory, named by its id. It is written under another name first, so that
//! whoever reads the directory sees whole mails only, and sending one twice leaves one. Only the owner may read them,
//! since they hold links.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::MailError;
use crate::shared::MailId;

/// Writes mails into a directory.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Writes a mail, or writes it again.
    pub(super) async fn keep(&self, id: &MailId, mail: Vec<u8>) -> Result<(), MailError> {
        let (directory, name) = (self.0.clone(), id.as_str().to_owned());
        let written = tokio::task::spawn_blocking(move || write(&directory, &name, &mail)).await;
        let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(|error| MailError::Unreachable(format!("can't write to {}: {error}", self.0.display())))
    }
}

fn write(directory: &Path, name: &str, mail: &[u8]) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let unfinished = directory.join(format!(".{name}.part"));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(mail)?;
    file.sync_all()?;
    fs::rename(&unfinished, directory.join(format!("{name}.eml")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::platform::testing::TempDir;

    #[tokio::test]
    async fn a_mail_that_is_sent_twice_is_one_file() {
        let folder = TempDir::new();
        let path = folder.path().join("deep/mail");
        let directory = Directory::new(path.clone());
        for content in ["first", "second"] {
            directory.keep(&MailId::new("a-1"), content.as_bytes().to_vec()).await.unwrap();
        }
        let names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["a-1.eml"]);
        assert_eq!(fs::read_to_string(path.join("a-1.eml")).unwrap(), "second");
        assert_eq!(fs::metadata(path.join("a-1.eml")).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_written_to_is_no_fault_of_the_mail() {
        let folder = TempDir::new();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = Directory::new(file).keep(&MailId::new("a-1"), Vec::new()).await;
        assert!(matches!(refused, Err(MailError::Unreachable(_))));
    }
}
