//! The judge of descriptions of an API, by another hand (openapi-spec-validator, set up by `.ci/setup schemathesis`).

use std::{
    env,
    io::{self, Write},
    path::Path,
    process::Stdio,
};

use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

/// What is wrong with a description, and which of its examples do not fit; `None` where there is no judge, which is said
/// loudly and fails under `CI`.
pub async fn judge_openapi(document: &Value) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/tools/schemathesis/bin/python");
    if !python.exists() {
        assert!(env::var_os("CI").is_none(), "the judge is missing, and CI wants it; .ci/setup schemathesis");
        let _ = writeln!(io::stderr(), "\n!!! SKIPPED: openapi-spec-validator is missing (.ci/setup schemathesis)");
        return None;
    }
    let mut command = Command::new(python);
    command.arg(root.join("tests/app/harness/judge_openapi.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(document.to_string().as_bytes()).await.unwrap();
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}
