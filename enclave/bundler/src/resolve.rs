//! Which module of the set an import means. Pure: it knows paths, and nothing of texts.
//!
//! | an import | means |
//! |---|---|
//! | `./a.ts`, `../a.ts` | that path, from the importing module's folder |
//! | `./a.js` | `a.js`, else `a.ts`: TypeScript's own way to name what it will become; `./a.mjs` likewise |
//! | `./a` | the first of `a.ts`, `a.mts`, `a.js`, `a.mjs`, then of those in the folder `a` as `index` |
//! | `a`, `a/b` | the same, from the root: a package that was bundled into a file of that name |

use std::collections::BTreeSet;

/// Endings that may be left out, in the order in which they are tried.
const ENDINGS: [&str; 4] = ["ts", "mts", "js", "mjs"];

/// The paths of a function's modules.
pub(crate) struct Paths<'a>(BTreeSet<&'a str>);

impl<'a> Paths<'a> {
    pub(crate) fn new(paths: impl Iterator<Item = &'a str>) -> Self {
        Self(paths.collect())
    }

    /// The path that `specifier` means in the module at `from`.
    ///
    /// # Errors
    /// Why it means none, and what to do about it.
    pub(crate) fn resolve(&self, from: &str, specifier: &str) -> Result<&'a str, String> {
        let shown = specifier.escape_debug();
        if specifier.starts_with('/') {
            return Err(format!(
                "\"{shown}\" is an absolute path: name the module from this one, as in \"./a.ts\""
            ));
        }
        if let Some(scheme) = scheme(specifier) {
            return Err(format!(
                "\"{shown}\" is outside of the function: nothing is fetched ({scheme}: modules neither); bundle what it is \
                 into a module of the function"
            ));
        }
        let is_relative = specifier == "."
            || specifier == ".."
            || specifier.starts_with("./")
            || specifier.starts_with("../");
        let folder = if is_relative { from.rsplit_once('/').map_or("", |(folder, _)| folder) } else { "" };
        let Some(path) = join(folder, specifier) else {
            return Err(format!("\"{shown}\" leads out of the function's folder: move the module into it"));
        };
        if let Some(found) = self.find(&path) {
            return Ok(found);
        }
        Err(if is_relative {
            match self.alike(&path) {
                Some(other) => format!("there is no module \"{shown}\"; did you mean {other:?}?"),
                None => format!("there is no module \"{shown}\": it is not among the function's modules"),
            }
        } else {
            format!(
                "there is no module \"{shown}\": packages are not fetched; bundle it into a module of the function, and import \
                 that by a relative path"
            )
        })
    }

    fn find(&self, path: &str) -> Option<&'a str> {
        let exact = |path: &str| self.0.get(path).copied();
        let typescript = || {
            let (stem, ending) = path.rsplit_once('.')?;
            match ending {
                "js" => exact(&format!("{stem}.ts")),
                "mjs" => exact(&format!("{stem}.mts")),
                _ => None,
            }
        };
        let ended = |stem: &str| {
            let separator = if stem.is_empty() || stem.ends_with('/') { "" } else { "." };
            ENDINGS.iter().find_map(|ending| exact(&format!("{stem}{separator}{ending}")))
        };
        let index = || ended(&if path.is_empty() { "index".to_owned() } else { format!("{path}/index") });
        exact(path).or_else(typescript).or_else(|| ended(path)).or_else(index)
    }

    /// A path that differs in the case of letters alone, or in its ending.
    fn alike(&self, path: &str) -> Option<&'a str> {
        let stem = |path: &str| path.rsplit_once('.').map_or(path, |(stem, _)| stem).to_ascii_lowercase();
        self.0.iter().copied().find(|known| known.eq_ignore_ascii_case(path) || stem(known) == stem(path))
    }
}

/// A path from a folder, in its one form; none where it leads out of the root.
fn join(folder: &str, specifier: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in specifier.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What stands before a colon, where that makes it an address.
fn scheme(specifier: &str) -> Option<&str> {
    let (scheme, _) = specifier.split_once(':')?;
    let letters = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    (letters && scheme.starts_with(|first: char| first.is_ascii_alphabetic())).then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: [&str; 11] = [
        "main.ts",
        "lib/a.ts",
        "lib/b.js",
        "lib/c.mts",
        "lib/index.ts",
        "lib/deep/d.ts",
        "data.json",
        "zod.js",
        "@scope/pkg/index.js",
        "both.ts",
        "both.js",
    ];

    fn resolve(from: &str, specifier: &str) -> Result<&'static str, String> {
        Paths::new(SET.into_iter()).resolve(from, specifier)
    }

    #[test]
    fn what_an_import_means() {
        for (from, specifier, path) in [
            ("main.ts", "./lib/a.ts", "lib/a.ts"),
            ("main.ts", "./lib/a", "lib/a.ts"),
            ("main.ts", "./lib/a.js", "lib/a.ts"),
            ("main.ts", "./lib/c.mjs", "lib/c.mts"),
            ("main.ts", "./lib/b", "lib/b.js"),
            ("main.ts", "./lib", "lib/index.ts"),
            ("main.ts", "./lib/", "lib/index.ts"),
            ("main.ts", "./data.json", "data.json"),
            ("main.ts", "./both", "both.ts"),
            ("main.ts", "./both.js", "both.js"),
            ("main.ts", "zod", "zod.js"),
            ("main.ts", "@scope/pkg", "@scope/pkg/index.js"),
            ("lib/a.ts", "./deep/../b.js", "lib/b.js"),
            ("lib/a.ts", ".", "lib/index.ts"),
            ("lib/deep/d.ts", "..", "lib/index.ts"),
            ("lib/deep/d.ts", "../../main.ts", "main.ts"),
            ("lib/deep/d.ts", "zod", "zod.js"),
            ("lib/deep/d.ts", "./.././a.ts", "lib/a.ts"),
            ("main.ts", ".//lib//a.ts", "lib/a.ts"),
        ] {
            assert_eq!(resolve(from, specifier).as_deref(), Ok(path), "{specifier} in {from}");
        }
    }

    #[test]
    fn what_an_import_does_not_mean_and_why() {
        for (from, specifier, words) in [
            ("main.ts", "../main.ts", "leads out"),
            ("lib/a.ts", "../../main.ts", "leads out"),
            ("main.ts", "./lib/../../x.ts", "leads out"),
            ("main.ts", "..", "leads out"),
            ("main.ts", "a/../../b.js", "leads out"),
            ("main.ts", "/main.ts", "absolute"),
            ("main.ts", "//host/main.ts", "absolute"),
            ("main.ts", "file:///main.ts", "outside"),
            ("main.ts", "https://deno.land/x/a.ts", "outside"),
            ("main.ts", "node:fs", "outside"),
            ("main.ts", "npm:zod@3", "outside"),
            ("main.ts", "data:text/javascript,1", "outside"),
            ("main.ts", "C:\\a.ts", "outside"),
            ("main.ts", "react", "packages are not fetched"),
            ("main.ts", "", "packages are not fetched"),
            ("main.ts", "./Lib/A.ts", "did you mean \"lib/a.ts\""),
            ("main.ts", "./lib/a.mjs", "did you mean \"lib/a.ts\""),
            ("main.ts", "./lib/none", "not among"),
            ("main.ts", "./data", "did you mean \"data.json\""),
            ("main.ts", "./lib/a.ts?v=1", "did you mean \"lib/a.ts\""),
            ("main.ts", "./lib%2fa.ts", "not among"),
            ("main.ts", ".\\lib\\a.ts", "packages are not fetched"),
            ("main.ts", "./lib/a.ts\0", "did you mean \"lib/a.ts\""),
            ("main.ts", "./lib/а.ts", "not among"),
            ("main.ts", "…/main.ts", "packages are not fetched"),
        ] {
            let problem = resolve(from, specifier).unwrap_err();
            assert!(problem.contains(words), "{specifier:?} in {from}: {problem}");
        }
    }
}
