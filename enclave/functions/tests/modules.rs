//! Functions of several modules and in TypeScript: what they mean, what is refused and where, and what stack traces say.
//! The bundler and the runner are the real programs, boxed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use std::collections::BTreeMap;

use r3e_proto::api::functions::{Deploy, Outcome, Runtime};

use appliance::{ALICE, Appliance, BOB, ample, output};
use r3e_functions::{CheckError, Definition, Loadable};

/// A deployment of modules, the first of which is the entry.
fn several(runtime: Runtime, modules: &[(&str, &str)]) -> Deploy {
    let texts: BTreeMap<_, _> =
        modules.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Deploy { limits: ample(), ..Deploy::modules(runtime, modules[0].0, texts) }
}

fn typescript(source: &str) -> Deploy {
    several(Runtime::Typescript, &[("main.ts", source)])
}

#[tokio::test]
async fn typescript_means_what_its_authors_mean() {
    let appliance = Appliance::new().await;
    for (source, expected) in [
        (
            "interface I { a: number }\nexport default (event: I): number => event.a! + (1 as unknown as number);",
            "42",
        ),
        ("enum E { A = 40, B, C }\nexport default () => [E.C, E[41]];", r#"[42,"B"]"#),
        ("const enum E { A = 'x' }\nexport default () => E.A;", r#""x""#),
        (
            "namespace N { export const a = 40; export namespace M { export const b = a + 2 } }\nexport default () => N.M.b;",
            "42",
        ),
        (
            "class A { constructor(private readonly a: number, public b = 2) {} get sum() { return this.a + this.b } }\nexport default () => new A(40).sum;",
            "42",
        ),
        (
            "abstract class A<T> { abstract f(): T; declare x: number; g?: number }\nclass B extends A<number> { override f() { return 42 } }\nexport default () => ['x' in new B(), 'g' in new B(), new B().f()];",
            "[false,true,42]",
        ),
        (
            "type T<A> = A extends string ? T<A> : { [K in keyof A]?: T<A[K]> };\ntype C = { c: C } | D; type D = { d: C };\nexport default () => 42 satisfies number;",
            "42",
        ),
        (
            "function f(a: string): string; function f(a: number): number; function f(a: any) { return a }\nexport default () => f<never>;",
            "x",
        ),
        (
            "function d<T>(_: T, context: ClassMethodDecoratorContext) { return function () { return String(context.name) + '!' } }\nclass A { @d f() { return 1 } }\nexport default () => new A().f();",
            r#""f!""#,
        ),
        (
            "const t = <T,>(a: T) => a;\nlet x = { a: { b: 42 } } as const;\nexport default async () => await t(x.a?.b ?? 0);",
            "42",
        ),
        (
            "export default (event: { a: number }) => { let a: number; ({ a } = event); label: for (;;) { break label } return a + 1 };",
            "42",
        ),
        (
            "import type { X } from './gone.ts';\nimport { type Y } from 'gone-too';\nexport type { X };\nexport default (x: X | Y) => 42;",
            "x",
        ),
        ("export default () => (<any>'42').length + `${((): number => 40)()}`.length;", "4"),
        ("export default function (this: void, event: unknown) { return typeof event }", r#""object""#),
        ("let x: string = `\u{2028}ä😀`; export default () => x.length;", "4"),
    ] {
        let found = match expected {
            // Only that it is deployed counts.
            "x" => appliance.deploy("f", typescript(source)).await.name,
            _ => appliance.output(typescript(source), r#"{"a":41}"#).await,
        };
        assert!(expected == "x" || found == expected, "{source}: {found}");
    }
}

#[tokio::test]
async fn modules_import_each_other() {
    let appliance = Appliance::new().await;
    let modules = [
        (
            "src/main.ts",
            "import { add, type Sum } from './lib/add';\nimport rates from '../data/rates.json' with { type: 'json' };\n\
             import * as zod from 'zod';\nexport { default } from './lib/handler.js';\nexport const used: Sum = add(rates.a, zod.b);",
        ),
        (
            "src/lib/add.ts",
            "export interface Sum { value: number }\nexport const add = (a: number, b: number): Sum => ({ value: a + b });",
        ),
        (
            "src/lib/handler.ts",
            "import { used } from '../main.ts';\nexport default async (event: { name: string }) => {\n  const { late } = await \
             import('./late.mjs');\n  const other = await import(`./${event.name}.mjs`);\n  return [used.value, late, other.late];\n};",
        ),
        ("src/lib/late.mjs", "export const late = import.meta.url;"),
        ("data/rates.json", "\u{feff}{\"a\": 40}\r\n"),
        ("zod.js", "export const b = 2;"),
        ("unused.ts", "this is no program {{{"),
    ];
    let deploy = several(Runtime::Typescript, &modules);
    let found = appliance.output(deploy.clone(), r#"{"name":"late"}"#).await;
    assert_eq!(found, r#"[42,"file:///src/lib/late.mjs","file:///src/lib/late.mjs"]"#);
    let function = appliance.registry.show(ALICE, "f").await.unwrap();
    assert_eq!(function.entry.as_deref(), Some("src/main.ts"));
    assert_eq!(function.modules.len(), modules.len());
    let bytes: usize = modules.iter().map(|(_, text)| text.len()).sum();
    assert_eq!(function.source_bytes, bytes as u64);
    let missing = output(&appliance.invoke("f", r#"{"name":"../../unused"}"#).await.unwrap());
    assert!(missing.contains("does not have"), "{missing}");

    let javascript =
        [("a.js", "import b from './b.mjs'; export default () => b;"), ("b.mjs", "export default 42;")];
    assert_eq!(appliance.output(several(Runtime::Javascript, &javascript), "null").await, "42");
    let single = Deploy {
        runtime: Runtime::Typescript,
        limits: ample(),
        ..Deploy::javascript("export default (a: number) => a")
    };
    assert_eq!(appliance.output(single, "42").await, "42");
}

#[tokio::test]
async fn cycles_run_where_they_can_and_say_where_they_cannot() {
    let appliance = Appliance::new().await;
    let even = "import { odd } from './odd.ts';\nexport const even = (n: number): boolean => n === 0 || odd(n - 1);\nexport default even;";
    let odd = "import { even } from './even.ts';\nexport const odd = (n: number): boolean => n !== 0 && even(n - 1);";
    let fine = several(Runtime::Typescript, &[("even.ts", even), ("odd.ts", odd)]);
    assert_eq!(appliance.output(fine, "42").await, "true");
    let broken = "import { a } from './a.ts';\n\n  export const b: number = a + 1;";
    let broken = several(
        Runtime::Typescript,
        &[
            ("a.ts", "import { b } from './b.ts';\nexport const a: number = b;\nexport default () => a;"),
            ("b.ts", broken),
        ],
    );
    let refusal = appliance.refusal_of(broken).await;
    assert!(refusal.contains("b.ts:3:"), "{refusal}");
}

#[tokio::test]
async fn stack_traces_name_the_lines_that_were_deployed() {
    let appliance = Appliance::new().await;
    let types = "interface A {\n  a: number;\n}\n\n";
    let thrower = format!(
        "{types}enum Kind {{ One, Two }}\nexport function thrower(kind: Kind): never {{\n  const text: string = Kind[kind]!;\n  \
         throw new Error(text);\n}}\n"
    );
    let main = format!(
        "{types}import {{ thrower }} from './lib/thrower.ts';\n\ntype Event = {{ how: string }};\n\
         export default async (event: Event): Promise<void> => {{\n  if (event.how === 'log') {{\n    console.error(new \
         TypeError('logged'));\n    return;\n  }}\n  if (event.how === 'reject') {{\n    await Promise.reject(new \
         RangeError('rejected'));\n  }}\n  if (event.how === 'timer') {{\n    await new Promise<void>((_, reject) => setTimeout(() => \
         reject(new Error('late')), 1));\n  }}\n  if (event.how === 'unhandled') {{\n    void Promise.reject(new \
         Error('unhandled'));\n    await new Promise(() => {{}});\n  }}\n  thrower(1);\n}};\n"
    );
    appliance
        .deploy("f", several(Runtime::Typescript, &[("main.ts", &main), ("lib/thrower.ts", &thrower)]))
        .await;
    for (how, places) in [
        ("throw", &["lib/thrower.ts:8:9", "main.ts:23:3"][..]),
        ("reject", &["main.ts:14:"]),
        ("timer", &["main.ts:17:"]),
        ("unhandled", &["main.ts:20:"]),
    ] {
        let completed = appliance.invoke("f", &format!(r#"{{"how":"{how}"}}"#)).await.unwrap();
        let Outcome::Error(error) = completed.outcome else { panic!("{how}: {:?}", completed.outcome) };
        let stack = error.stack.expect("a stack");
        for place in places {
            assert!(stack.contains(&format!("file:///{place}")), "{how}: {stack}");
        }
    }
    let completed = appliance.invoke("f", r#"{"how":"log"}"#).await.unwrap();
    assert!(completed.logs[0].text.contains("file:///main.ts:10:"), "{:?}", completed.logs);
}

#[tokio::test]
async fn refusals_name_the_file_the_line_and_the_column() {
    let appliance = Appliance::new().await;
    for (modules, expected) in [
        (&[("main.ts", "export default (\n  1 +;")][..], "main.ts:2:6: Expression expected"),
        (
            &[("main.ts", "\r\n\r\n  import './gone.ts';\r\nexport default 1")],
            "main.ts:3:10: there is no module \"./gone.ts\"",
        ),
        (&[("main.ts", "import '../up.ts'; export default 1")], "main.ts:1:8: \"../up.ts\" leads out"),
        (
            &[("main.ts", "import '/etc/passwd'; export default 1")],
            "main.ts:1:8: \"/etc/passwd\" is an absolute path",
        ),
        (
            &[("main.ts", "/* ä */ import x from 'node:fs'; export default x")],
            "main.ts:1:23: \"node:fs\" is outside",
        ),
        (
            &[("main.ts", "export default () => import('https://a.test/x.js')")],
            "main.ts:1:29: \"https://a.test/x.js\" is outside",
        ),
        (
            &[("main.ts", "import x from 'react'; export default x")],
            "main.ts:1:15: there is no module \"react\": packages",
        ),
        (
            &[("a/main.ts", "import x from './B'; export default x"), ("a/b.ts", "")],
            "did you mean \"a/b.ts\"?",
        ),
        (
            &[("main.ts", "import x from './d.json'; export default x"), ("d.json", "1")],
            "main.ts:1:15: \"d.json\" is JSON",
        ),
        (
            &[
                ("main.ts", "import x from './d.json' with { type: 'json' }; export default x"),
                ("d.json", "{\n  \"a\": }"),
            ],
            "d.json:2:8: not JSON",
        ),
        (
            &[("main.ts", "import x from './b.ts' with { type: 'text' }; export default x"), ("b.ts", "")],
            "modules of type \"text\"",
        ),
        (
            &[("main.ts", "import x from './t.d.ts'; export default x"), ("t.d.ts", "")],
            "\"t.d.ts\" holds types alone",
        ),
        (
            &[("main.ts", "import x = require('./b'); export default x")],
            "main.ts:1:1: `import … = require(…)` is CommonJS",
        ),
        (&[("main.ts", "export = 1")], "main.ts:1:1: `export =` is CommonJS"),
        (&[("main.ts", "export const a = 1")], "default export is not a function"),
        (&[("main.ts", "\n\nthrow new TypeError('at load')")], "main.ts:3:"),
        (
            &[("main.ts", "import { gone } from './b.ts'; export default () => gone"), ("b.ts", "export {}")],
            "gone",
        ),
    ] {
        let refusal = appliance.refusal_of(several(Runtime::Typescript, modules)).await;
        assert!(refusal.contains(expected), "{expected}\n{refusal}");
    }
}

#[tokio::test]
async fn two_tenants_deploy_at_once_and_get_their_own() {
    let appliance = Appliance::new().await;
    let one = |tenant, n: usize| {
        let appliance = &appliance;
        async move {
            let source = format!("const answer: number = {n}; export default () => answer;");
            let name = format!("f{n}");
            let definition = Definition::new(&name, typescript(&source)).unwrap();
            let loadable =
                Loadable::check(&appliance.pool, &appliance.bundler, tenant, definition).await.unwrap();
            appliance.registry.deploy(tenant, loadable, 1).await.unwrap();
            let done =
                appliance.invoker.invoke(tenant, &appliance::INVOCATION, &name, b"null").await.unwrap();
            assert_eq!(output(&done), n.to_string());
        }
    };
    tokio::join!(one(ALICE, 1), one(BOB, 2), one(ALICE, 3), one(BOB, 4), one(BOB, 5));
}

#[tokio::test]
async fn a_bundler_that_is_not_there_is_the_appliances_fault() {
    let appliance = Appliance::new().await;
    let definition = Definition::new("f", typescript("export default () => 1")).unwrap();
    let bundler = r3e_functions::Bundler::new("/nonexistent/r3e-bundler".into());
    let checked = Loadable::check(&appliance.pool, &bundler, ALICE, definition).await;
    assert!(matches!(checked, Err(CheckError::Bundler(_))), "{checked:?}");
}
