//! Folders and archives: what is gathered from them, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::symlink;

use ::zip::write::{FileOptions, SimpleFileOptions, ZipWriter};
use ::zip::{CompressionMethod, ZipArchive};

use super::*;
use crate::limits::{
    MAX_MANIFEST_BYTES, MAX_PROJECT_BYTES, MAX_PROJECT_ENTRIES, MAX_PROJECT_MODULES, MAX_WASM_BYTES,
};

const TOML: &str = "name = 'f'\nruntime = 'typescript'\nentry = 'src/main.ts'\nexclude = ['test/', 'notes.json']\n\
                    [permissions]\nsecrets = ['KEY']\nnet = ['a.test']\n[limits]\ntimeout_ms = 3000\n[instance]\nreuse = true\n";

/// What is there, and which of it is part of the function.
const FILES: [(&str, &str, bool); 14] = [
    ("r3e.toml", TOML, false),
    ("src/main.ts", "export default () => 1", true),
    ("src/deep/er/a.mjs", "1", true),
    ("src/t.d.ts", "type T = 1", true),
    ("data.json", "{}", true),
    ("@scope/pkg/index.js", "2", true),
    ("notes.json", "{}", false),
    ("test/main.ts", "3", false),
    ("README.md", "# f", false),
    ("a.tsx", "4", false),
    (".git/config.json", "{}", false),
    ("src/.secret.json", "{}", false),
    ("node_modules/x/index.js", "5", false),
    ("src/node_modules/y.js", "6", false),
];

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn stored() -> SimpleFileOptions {
    FileOptions::default().compression_method(CompressionMethod::Stored)
}

fn zipped(files: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in files {
        writer.start_file(*path, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A zip that has `name` where `written`, as long, stood: writers refuse what readers must.
fn renamed(bytes: &[u8], written: &str, name: &str) -> Vec<u8> {
    assert_eq!(written.len(), name.len());
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(name.len()).position(|window| window == written.as_bytes()) {
        bytes[at + found..at + found + name.len()].copy_from_slice(name.as_bytes());
        at += found + name.len();
    }
    bytes
}

fn expected() -> BTreeMap<String, String> {
    FILES
        .iter()
        .filter(|(.., part)| *part)
        .map(|(path, text, _)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

fn check(project: Project) {
    assert_eq!(project.name, "f");
    assert_eq!(project.deploy.modules, expected());
    assert!(project.deploy.instance.reuse);
    assert_eq!(project.deploy.entry.as_deref(), Some("src/main.ts"));
    assert_eq!(
        (project.deploy.permissions.secrets, project.deploy.limits.timeout_ms),
        (vec!["KEY".to_owned()], 3_000)
    );
    assert!(
        project.left_out.contains(&"README.md".to_owned()) && project.left_out.contains(&"a.tsx".to_owned())
    );
}

#[test]
fn a_folder_and_its_zip_are_the_same_function() {
    let files: Vec<_> = FILES.iter().map(|(path, text, _)| (*path, *text)).collect();
    let folder = folder(&files);
    check(Project::read(folder.path()).unwrap());
    let entries: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    for options in [stored(), FileOptions::default().compression_method(CompressionMethod::Deflated)] {
        let bytes = zipped(&entries, options);
        check(Project::from_zip(&bytes).unwrap());
        let file = folder.path().join("f.zip");
        fs::write(&file, &bytes).unwrap();
        check(Project::read(&file).unwrap());
    }
}

#[test]
fn a_manifest_declares_triggers_of_its_own_function() {
    let main = ("src/main.ts", "export default () => 1");
    let read = |more: &str| {
        let toml = TOML.to_owned() + more;
        Project::read(folder(&[("r3e.toml", &toml), main]).path())
    };
    let project = read(
        "[[triggers]]\nname = 'a'\nalias = 'staging'\ncron = { schedule = '0 * * * *' }\n\
         [[triggers]]\nname = 'b'\nevent = { topic = 't' }\npolicy = { attempts = 1, first_delay_ms = 10, \
         max_delay_ms = 10, retry_on = [] }\n",
    );
    let triggers = project.unwrap().triggers;
    let functions: Vec<_> = triggers.values().map(|it| (it.function.as_str(), it.source.kind())).collect();
    assert_eq!(functions, [("f@staging", "cron"), ("f", "event")]);
    assert!(triggers.values().all(|it| it.declared_by.as_deref() == Some("f")));
    let one = "[[triggers]]\nname = 'a'\nevent = { topic = 't' }\n";
    assert!(matches!(read(&one.repeat(2)), Err(ProjectError::TwoTriggers(name)) if name == "a"));
    assert!(matches!(read("[[triggers]]\nname = 'a'\n"), Err(ProjectError::Trigger(name)) if name == "a"));
    for wrong in ["function = 'g'\n", "price = {}\n", "http = {}\n"] {
        assert!(matches!(read(&format!("{one}{wrong}")), Err(ProjectError::Manifest(_))), "{wrong}");
    }
}

#[test]
fn folders_that_lead_elsewhere_or_hold_too_much_are_refused() {
    let main = ("src/main.ts", "export default () => 1");
    let linked = folder(&[("r3e.toml", TOML), main]);
    symlink("/etc/passwd", linked.path().join("src/a.json")).unwrap();
    assert!(matches!(Project::read(linked.path()), Err(ProjectError::Symlink(path)) if path == "src/a.json"));
    let linked = folder(&[("r3e.toml", TOML), main]);
    symlink("/etc", linked.path().join("etc")).unwrap();
    assert!(matches!(Project::read(linked.path()), Err(ProjectError::Symlink(_))));
    symlink(linked.path(), linked.path().with_extension("link")).unwrap();
    assert!(matches!(Project::read(&linked.path().with_extension("link")), Err(ProjectError::Symlink(_))));
    fs::remove_file(linked.path().with_extension("link")).unwrap();
    let linked = folder(&[main]);
    symlink("/etc/passwd", linked.path().join("r3e.toml")).unwrap();
    assert!(matches!(Project::read(linked.path()), Err(ProjectError::Symlink(_))));
    // What is passed over may be whatever it is.
    let fine = folder(&[("r3e.toml", TOML), main]);
    symlink("/", fine.path().join("node_modules")).unwrap();
    symlink("/", fine.path().join("test")).unwrap();
    Project::read(fine.path()).unwrap();

    let refused = |files: &[(&str, &str)]| Project::read(folder(files).path()).unwrap_err();
    assert!(matches!(refused(&[main]), ProjectError::NoManifest));
    assert!(matches!(refused(&[("r3e.toml", "name = 1"), main]), ProjectError::Manifest(_)));
    let typo = TOML.replace("secrets", "secret");
    assert!(matches!(refused(&[("r3e.toml", &typo), main]), ProjectError::Manifest(_)));
    let long = "#".repeat(MAX_MANIFEST_BYTES + 1);
    assert!(matches!(refused(&[("r3e.toml", &long), main]), ProjectError::ManifestSize));
    assert!(matches!(refused(&[("r3e.toml", TOML), ("src/a.ts", "1")]), ProjectError::Code(_)));
    assert!(matches!(refused(&[("r3e.toml", TOML), main, ("my file.ts", "1")]), ProjectError::Path(_)));
    assert!(matches!(refused(&[("r3e.toml", TOML), main, ("ä.ts", "1")]), ProjectError::Path(_)));
    let large = " ".repeat(MAX_PROJECT_BYTES);
    assert!(matches!(
        refused(&[("r3e.toml", TOML), main, ("large.ts", &large)]),
        ProjectError::TooLarge { max_bytes: MAX_PROJECT_BYTES, .. }
    ));
    let many: Vec<_> = (0..=MAX_PROJECT_MODULES).map(|n| format!("m{n}.ts")).collect();
    let mut files: Vec<_> = many.iter().map(|path| (path.as_str(), "1")).collect();
    files.extend([("r3e.toml", TOML), main]);
    assert!(matches!(refused(&files), ProjectError::TooManyModules));
    let deep = "d/".repeat(16) + "a.ts";
    assert!(matches!(refused(&[("r3e.toml", TOML), main, (&deep, "1")]), ProjectError::TooDeep(_)));
    let binary = folder(&[("r3e.toml", TOML), main]);
    fs::write(binary.path().join("b.ts"), b"\xff\xfe").unwrap();
    assert!(matches!(Project::read(binary.path()), Err(ProjectError::NotText(path)) if path == "b.ts"));
}

#[test]
fn zips_that_lead_out_are_refused_whatever_they_hold() {
    let base: [(&str, &[u8]); 2] =
        [("r3e.toml", TOML.as_bytes()), ("src/main.ts", b"export default () => 1")];
    let with = |written: &str, name: &str| {
        let mut files = base.to_vec();
        files.push((written, b"1"));
        Project::from_zip(&renamed(&zipped(&files, stored()), written, name))
    };
    for name in [
        "../../../a.txt",
        "/etc/passwd.ts",
        "a/../../../b.ts",
        "..\\..\\..\\b.ts",
        "C:/windows/a.ts",
        "a/./b/c/dd.ts",
        "a//b/c/ddd.ts",
        "a\0b/c/ddd.ts",
    ] {
        let written = "x".repeat(name.len());
        let refused = with(&written, name).unwrap_err();
        assert!(matches!(refused, ProjectError::Escapes(_) | ProjectError::Zip(_)), "{name:?}: {refused:?}");
    }
    let twice = with("src/mine.ts", "src/main.ts").unwrap_err();
    assert!(matches!(twice, ProjectError::Ambiguous(_)), "{twice:?}");
    let mut linked = ZipWriter::new(Cursor::new(Vec::new()));
    linked.add_symlink("src/a.ts", "/etc/passwd", stored()).unwrap();
    let linked = linked.finish().unwrap().into_inner();
    assert!(matches!(Project::from_zip(&linked), Err(ProjectError::Symlink(_))));
}

#[test]
fn zips_that_are_bombs_ambiguous_or_damaged_are_refused() {
    let deflated = FileOptions::default().compression_method(CompressionMethod::Deflated);
    let zeros = vec![b' '; 64 * 1024 * 1024];
    let bomb = zipped(&[("r3e.toml", TOML.as_bytes()), ("src/main.ts", &zeros)], deflated);
    assert!(bomb.len() < 1024 * 1024);
    assert!(
        matches!(Project::from_zip(&bomb), Err(ProjectError::TooLarge { path, .. }) if path == "src/main.ts")
    );
    let bomb = zipped(&[("r3e.toml", &zeros)], deflated);
    assert!(matches!(Project::from_zip(&bomb), Err(ProjectError::ManifestSize)));
    let many: Vec<String> = (0..=MAX_PROJECT_ENTRIES).map(|n| format!("{n}")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert!(matches!(Project::from_zip(&zipped(&many, stored())), Err(ProjectError::TooManyEntries)));

    let fine = zipped(&[("r3e.toml", TOML.as_bytes()), ("src/main.ts", b"1")], stored());
    Project::from_zip(&fine).unwrap();
    let mut trailing = fine.clone();
    trailing.push(0);
    assert!(matches!(Project::from_zip(&trailing), Err(ProjectError::Ambiguous(_))));
    let mut two_ends = fine.clone();
    two_ends.extend(zipped(&[("b", b"1")], stored()));
    let read = Project::from_zip(&two_ends);
    assert!(read.is_err(), "{read:?}");
    for end in 0..fine.len() {
        assert!(Project::from_zip(&fine[..end]).is_err(), "{end}");
    }
    let at =
        fine.windows(4).position(|window| window == TOML.as_bytes().first_chunk::<4>().unwrap()).unwrap();
    let mut damaged = fine;
    damaged[at] ^= 1;
    assert!(Project::from_zip(&damaged).is_err(), "a checksum that does not hold");
    assert!(ZipArchive::new(Cursor::new(bomb)).is_ok(), "it is a zip to others");
}

#[test]
fn one_file_says_its_language() {
    assert_eq!(runtime_of("a.ts".as_ref()), Runtime::Typescript);
    assert_eq!(runtime_of("a.mts".as_ref()), Runtime::Typescript);
    assert_eq!(runtime_of("a.js".as_ref()), Runtime::Javascript);
    assert_eq!(runtime_of("a.wasm".as_ref()), Runtime::Wasm);
    assert_eq!(runtime_of("a.py".as_ref()), Runtime::Python);
    assert_eq!(runtime_of("a.cs".as_ref()), Runtime::Csharp);
    assert_eq!(source_text(Runtime::Wasm, b"\0asm".to_vec()).unwrap(), "AGFzbQ==");
    assert!(source_text(Runtime::Python, b"\xff".to_vec()).is_err());
}

#[test]
fn a_function_of_one_module_is_its_entry() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "name = 'f'\nruntime = 'wasm'\nentry = 'out/f.wasm'\n";
    std::fs::write(folder.path().join("r3e.toml"), manifest).unwrap();
    let missing = Project::from_folder(folder.path()).unwrap_err();
    assert!(matches!(missing, ProjectError::Code(CodeError::NoEntry(entry)) if entry == "out/f.wasm"));
    std::fs::create_dir(folder.path().join("out")).unwrap();
    std::fs::write(folder.path().join("out/f.wasm"), b"\0asm\xff").unwrap();
    std::fs::write(folder.path().join("out/g.wasm"), b"\0asm").unwrap();
    std::fs::write(folder.path().join("a.js"), "1").unwrap();
    let project = Project::from_folder(folder.path()).unwrap();
    assert_eq!((project.deploy.runtime, project.deploy.source.as_str()), (Runtime::Wasm, "AGFzbf8="));
    assert!(project.deploy.entry.is_none() && project.deploy.modules.is_empty());
    assert_eq!(project.left_out.len(), 2);
    for (bytes, fits) in [(MAX_WASM_BYTES, true), (MAX_WASM_BYTES + 1, false)] {
        std::fs::write(folder.path().join("out/f.wasm"), vec![0; bytes]).unwrap();
        let read = Project::from_folder(folder.path());
        assert_eq!(read.is_ok(), fits, "{bytes}");
        assert!(fits || matches!(read, Err(ProjectError::TooLarge { max_bytes: MAX_WASM_BYTES, .. })));
    }
}
