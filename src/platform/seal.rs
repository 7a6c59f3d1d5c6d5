//! Sealing with the instance key (XChaCha20-Poly1305): what is stored or sent away sealed can neither be read nor changed.
//! A sealed text opens only for the purpose that it was sealed for. The key is made at the first start, in a file that
//! only its owner may read; a file that others may read is refused, and so is one that was cut or changed.

use std::{
    fmt, fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Entropy, TokenHash};

/// The length of the key, in bytes.
const KEY_BYTES: usize = 32;
/// The length of the nonce, in bytes; long enough to be drawn at random for every text.
const NONCE_BYTES: usize = 24;
/// The name of the key file in the configured directory.
const KEY_FILE: &str = "instance.key";

/// `[keys]`: where the instance key is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeySettings {
    /// The directory of the key file; made with mode 0700 if it is missing.
    pub directory: PathBuf,
}

impl Default for KeySettings {
    fn default() -> Self {
        Self { directory: PathBuf::from("data") }
    }
}

impl KeySettings {
    /// The path of the file that holds the instance key.
    pub fn instance_key(&self) -> PathBuf {
        self.directory.join(KEY_FILE)
    }
}

/// The instance key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file can't be read or written.
    #[error("the key file {path} can't be used: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others than the owner may read or change the file.
    #[error("the key file {path} is open to others than its owner (mode {mode:03o}); run: chmod 600 {path}")]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not hold a key.
    #[error("the key file {path} does not hold a key of this program; restore it from a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// Seals and opens texts with the instance key.
#[derive(Clone)]
pub struct Seal {
    cipher: Arc<XChaCha20Poly1305>,
    entropy: Entropy,
}

impl Seal {
    /// Reads the key at `path`, or makes one there. Processes that start at once agree on one key.
    ///
    /// # Errors
    /// [`SealError`] if the file can't be read or made, is open to others than its owner, or holds no key.
    pub fn load_or_create(path: &Path, entropy: &Entropy) -> Result<Self, SealError> {
        let io_error = |source| SealError::Io { path: path.to_owned(), source };
        if !path.try_exists().map_err(io_error)? {
            create_key(path, entropy).map_err(io_error)?;
        }
        let key = read_key(path)?;
        let cipher = Arc::new(XChaCha20Poly1305::new(key.as_slice().into()));
        Ok(Self { cipher, entropy: entropy.clone() })
    }

    /// Seals `plain` for `purpose`, as base64url of a random nonce and the ciphertext.
    pub fn seal(&self, purpose: &'static str, plain: &[u8]) -> String {
        let nonce = self.entropy.bytes::<NONCE_BYTES>();
        let payload = Payload { msg: plain, aad: purpose.as_bytes() };
        // Fails only for a text of 256 GiB; the empty text that it becomes opens for nobody.
        let Ok(sealed) = self.cipher.encrypt(XNonce::from_slice(&nonce), payload) else { return String::new() };
        URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for `purpose`; `None` if it was not, or was changed.
    pub fn open(&self, purpose: &'static str, text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        self.cipher.decrypt(XNonce::from_slice(nonce), payload).ok()
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(redacted)")
    }
}

/// Writes a new key beside `path` and links it there, so that nobody ever reads half a key and the first one wins.
fn create_key(path: &Path, entropy: &Entropy) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let draft = directory.join(format!(".{KEY_FILE}.{}", TokenHash::of(&entropy.bytes::<16>()).as_str()));
    let linked = write_key(&draft, entropy).and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        // The name must outlive a crash too, or what was sealed until then would be lost.
        Ok(()) => fs::File::open(directory)?.sync_all(),
    }
}

fn write_key(draft: &Path, entropy: &Entropy) -> io::Result<()> {
    let key = Zeroizing::new(entropy.bytes::<KEY_BYTES>());
    let text = Zeroizing::new(format!("{}\n", URL_SAFE_NO_PAD.encode(key.as_slice())));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let io_error = |source| SealError::Io { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(io_error)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SealError::TooOpen { path: path.to_owned(), mode });
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(io_error)?);
    let key = URL_SAFE_NO_PAD.decode(text.trim_end()).map(Zeroizing::new);
    key.ok().filter(|key| key.len() == KEY_BYTES).ok_or_else(|| SealError::Damaged { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, thread};

    use super::*;
    use crate::platform::testing::TempDir;

    fn entropy() -> Entropy {
        Entropy::from_os().unwrap()
    }

    #[test]
    fn a_sealed_text_opens_for_its_purpose_only() {
        let directory = TempDir::new();
        let seal = Seal::load_or_create(&directory.path().join("instance.key"), &entropy()).unwrap();
        let sealed = seal.seal("state", b"secret");
        assert_eq!(seal.open("state", &sealed).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(seal.open("flash", &sealed), None);
        assert_ne!(seal.seal("state", b"secret"), sealed);
        let empty = seal.seal("state", b"");
        assert_eq!(seal.open("state", &empty).as_deref(), Some(b"".as_slice()));
    }

    #[test]
    fn a_changed_or_cut_text_does_not_open() {
        let directory = TempDir::new();
        let seal = Seal::load_or_create(&directory.path().join("instance.key"), &entropy()).unwrap();
        let sealed = seal.seal("state", b"secret");
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(seal.open("state", &URL_SAFE_NO_PAD.encode(changed)), None);
            assert_eq!(seal.open("state", &URL_SAFE_NO_PAD.encode(&bytes[..at])), None);
        }
        for text in ["", "A", "ü", "====", "a b"] {
            assert_eq!(seal.open("state", text), None);
        }
    }

    #[test]
    fn the_key_outlives_the_process_and_belongs_to_its_owner() {
        let directory = TempDir::new();
        let path = directory.path().join("deep/data/instance.key");
        let sealed = Seal::load_or_create(&path, &entropy()).unwrap().seal("state", b"secret");
        let again = Seal::load_or_create(&path, &entropy()).unwrap();
        assert_eq!(again.open("state", &sealed).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let directory = TempDir::new();
        let path = directory.path().join("instance.key");
        Seal::load_or_create(&path, &entropy()).unwrap();
        for mode in [0o640, 0o604, 0o644, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = Seal::load_or_create(&path, &entropy()).unwrap_err();
            assert!(refused.to_string().contains("chmod 600"), "{refused}");
        }
    }

    #[test]
    fn a_damaged_key_is_refused_and_kept() {
        let directory = TempDir::new();
        let path = directory.path().join("instance.key");
        Seal::load_or_create(&path, &entropy()).unwrap();
        for content in ["", "short", "\n", "!!!"] {
            fs::write(&path, content).unwrap();
            assert!(matches!(Seal::load_or_create(&path, &entropy()), Err(SealError::Damaged { .. })));
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn processes_that_start_at_once_agree_on_one_key() {
        let directory = TempDir::new();
        let path = directory.path().join("instance.key");
        let start = || Seal::load_or_create(&path, &entropy()).unwrap();
        let seals: Vec<Seal> = thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let sealed = seals[0].seal("state", b"secret");
        assert!(seals.iter().all(|seal| seal.open("state", &sealed).is_some()));
    }
}
