//! The prelude's sources, part of this binary: nothing is read from files.

use std::borrow::Cow;
use std::rc::Rc;

use deno_core::{Extension, ExtensionFileSource, ascii_str_include};

use super::ops::{Bridge, r3e};

/// A prelude script under the name that its frames carry in stack traces.
macro_rules! script {
    ($file:literal) => {
        ExtensionFileSource::new(concat!("ext:r3e/", $file), ascii_str_include!(concat!("../js/", $file)))
    };
}

/// The ops and the scripts over them, each after those whose parts it uses.
pub(super) fn extension(bridge: &Rc<Bridge>) -> Extension {
    let mut extension = r3e::init(Rc::clone(bridge));
    extension.js_files = Cow::Owned(vec![
        script!("webidl.js"),
        script!("errors.js"),
        script!("domexception.js"),
        script!("format.js"),
        script!("bytes.js"),
        script!("events.js"),
        script!("console.js"),
        script!("encoding.js"),
        script!("urlsearchparams.js"),
        script!("url.js"),
        script!("timers.js"),
        script!("abort.js"),
        script!("performance.js"),
        script!("host.js"),
        script!("blob.js"),
        script!("headers.js"),
        script!("body.js"),
        script!("request.js"),
        script!("response.js"),
        script!("fetch.js"),
        script!("cryptokey.js"),
        script!("crypto_symmetric.js"),
        script!("crypto_ecdsa.js"),
        script!("crypto_kdf.js"),
        script!("subtle.js"),
        script!("crypto.js"),
        script!("clone.js"),
        script!("clone_make.js"),
        script!("r3e.js"),
        script!("dispatch.js"),
        script!("seal.js"),
        script!("main.js"),
    ]);
    extension
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The engine makes a template literal by `String.prototype.concat`, which a function may have replaced.
    #[test]
    fn no_script_has_a_template_literal() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/js");
        let mut scripts = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            for (number, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                let is_comment = line.trim_start().starts_with("/**");
                assert!(is_comment || !code.contains('`'), "{}:{}", path.display(), number + 1);
            }
            scripts += 1;
        }
        assert!(scripts > 20, "{scripts} scripts");
    }
}
