//! TypeScript to JavaScript: types go, what they leave behind (`enum`, `namespace`, parameter properties, decorators) becomes code.

use deno_ast::{
    DecoratorsTranspileOption, EmitOptions, EmittedSourceText, ImportsNotUsedAsValues, ParsedSource,
    SourceMapOption, TranspileModuleOptions, TranspileOptions,
};
use r3e_runner_api::bundling::Problem;

use crate::parse::problem_of_transpiling;

/// The JavaScript of a module, and the map back to its text.
pub(crate) fn emit(path: &str, text: &str, parsed: ParsedSource) -> Result<EmittedSourceText, Problem> {
    let options = TranspileOptions {
        // The language's own (stage 3), as without `experimentalDecorators`.
        decorators: DecoratorsTranspileOption::Ecma,
        // As without `verbatimModuleSyntax`: what is imported and used as a type alone goes.
        imports_not_used_as_values: ImportsNotUsedAsValues::Remove,
        verbatim_module_syntax: false,
        jsx: None,
        var_decl_imports: false,
    };
    let emit = EmitOptions {
        source_map: SourceMapOption::Separate,
        source_map_base: None,
        source_map_file: None,
        // What was deployed is kept beside it; a stack trace needs no text.
        inline_sources: false,
        remove_comments: true,
    };
    parsed
        .transpile(&options, &TranspileModuleOptions::default(), &emit)
        .map(deno_ast::TranspileResult::into_source)
        .map_err(|error| problem_of_transpiling(path, text, &error))
}
