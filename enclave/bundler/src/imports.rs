//! What a module imports: each name that stands in an `import`, an `export … from` or an `import()` of a text.

use std::collections::BTreeMap;

use deno_ast::ParsedSource;
use deno_ast::SourceRangedForSpanned as _;
use deno_ast::swc::ast::{
    CallExpr, Callee, ExportAll, Expr, ImportDecl, Lit, NamedExport, ObjectLit, Prop, PropName, PropOrSpread,
    Str, TsExportAssignment, TsImportEqualsDecl, TsModuleRef,
};
use deno_ast::swc::ecma_visit::{Visit, VisitWith as _};
use r3e_runner_api::bundling::Problem;

use crate::limits::{MAX_IMPORTS, MAX_SPECIFIER_BYTES};
use crate::parse::byte_of;
use crate::place::Place;

/// The `type` that an import asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    /// None: code.
    None,
    /// `json`.
    Json,
    /// Another.
    Other(String),
    /// Something that is known only when it runs.
    Computed,
}

/// Where a module is first imported by this name, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) place: Place,
    pub(crate) attribute: Attribute,
}

/// Imports by what they name.
pub(crate) type Imports = BTreeMap<String, Import>;

/// The imports of a module whose text is `text`; `import type` and its like are none.
pub(crate) fn imports(path: &str, text: &str, parsed: &ParsedSource) -> Result<Imports, Problem> {
    let mut finder = Finder { path, text, found: BTreeMap::new(), problem: None };
    match parsed.program_ref() {
        deno_ast::ProgramRef::Module(module) => module.visit_with(&mut finder),
        deno_ast::ProgramRef::Script(script) => script.visit_with(&mut finder),
    }
    match finder.problem {
        Some(problem) => Err(problem),
        None => Ok(finder.found),
    }
}

struct Finder<'a> {
    path: &'a str,
    text: &'a str,
    found: Imports,
    problem: Option<Problem>,
}

impl Finder<'_> {
    fn found(&mut self, name: &Str, attribute: Attribute) {
        if self.problem.is_some() {
            return;
        }
        let place = || Place::of_byte(self.text, byte_of(name.start()));
        let Some(specifier) = name.value.as_str() else {
            self.problem = Some(place().problem(self.path, "an import that names no text"));
            return;
        };
        if let Some(known) = self.found.get_mut(specifier) {
            if known.attribute != attribute {
                let message =
                    format!("{specifier:?} is imported in two ways: give each import the same `with`");
                self.problem = Some(place().problem(self.path, message));
            }
            return;
        }
        if specifier.len() > MAX_SPECIFIER_BYTES {
            let message = format!("an import of {} bytes names no module", specifier.len());
            self.problem = Some(place().problem(self.path, message));
        } else if self.found.len() >= MAX_IMPORTS {
            let message = format!("more than {MAX_IMPORTS} different imports in one module");
            self.problem = Some(place().problem(self.path, message));
        } else {
            let import = Import { place: place(), attribute };
            self.found.insert(specifier.to_owned(), import);
        }
    }

    fn refuse(&mut self, at: usize, message: &str) {
        let place = Place::of_byte(self.text, at);
        self.problem.get_or_insert_with(|| place.problem(self.path, message));
    }
}

impl Visit for Finder<'_> {
    fn visit_import_decl(&mut self, import: &ImportDecl) {
        if !import.type_only {
            self.found(&import.src, attribute_of(import.with.as_deref()));
        }
    }

    fn visit_named_export(&mut self, export: &NamedExport) {
        if let Some(name) = export.src.as_deref().filter(|_| !export.type_only) {
            self.found(name, attribute_of(export.with.as_deref()));
        }
    }

    fn visit_export_all(&mut self, export: &ExportAll) {
        if !export.type_only {
            self.found(&export.src, attribute_of(export.with.as_deref()));
        }
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let Callee::Import(_) = call.callee
            && let Some(first) = call.args.first()
            && let Expr::Lit(Lit::Str(name)) = first.expr.as_ref()
        {
            let attribute = match call.args.get(1).map(|options| options.expr.as_ref()) {
                None => Attribute::None,
                Some(Expr::Object(options)) => match property(options, "with") {
                    Some(Expr::Object(with)) => attribute_of(Some(with)),
                    Some(_) => Attribute::Computed,
                    None => Attribute::None,
                },
                Some(_) => Attribute::Computed,
            };
            self.found(name, attribute);
        }
        call.visit_children_with(self);
    }

    fn visit_ts_import_equals_decl(&mut self, import: &TsImportEqualsDecl) {
        if matches!(import.module_ref, TsModuleRef::TsExternalModuleRef(_)) && !import.is_type_only {
            self.refuse(
                byte_of(import.start()),
                "`import … = require(…)` is CommonJS: write `import … from …`",
            );
        }
    }

    fn visit_ts_export_assignment(&mut self, export: &TsExportAssignment) {
        self.refuse(byte_of(export.start()), "`export =` is CommonJS: write `export default`");
    }
}

fn attribute_of(with: Option<&ObjectLit>) -> Attribute {
    match with.and_then(|with| property(with, "type")) {
        None => Attribute::None,
        Some(Expr::Lit(Lit::Str(text))) if text.value.as_str() == Some("json") => Attribute::Json,
        Some(Expr::Lit(Lit::Str(text))) => Attribute::Other(text.value.to_string_lossy().into_owned()),
        Some(_) => Attribute::Computed,
    }
}

fn property<'a>(object: &'a ObjectLit, wanted: &str) -> Option<&'a Expr> {
    object.props.iter().find_map(|property| {
        let PropOrSpread::Prop(property) = property else { return None };
        let Prop::KeyValue(pair) = property.as_ref() else { return None };
        let is_wanted = match &pair.key {
            PropName::Ident(name) => &*name.sym == wanted,
            PropName::Str(name) => name.value.as_str() == Some(wanted),
            _ => false,
        };
        is_wanted.then_some(pair.value.as_ref())
    })
}
