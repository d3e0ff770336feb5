//! Tokens into a tree of bounded depth.

use super::NotAnExpression;
use super::functions::{Function, Macro};
use super::lexer::{Kind, Token};
use crate::limits::MAX_DEPTH;

/// A node of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    Name(String),
    Field(Box<Node>, String),
    Has(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    /// Of two or more.
    All(Vec<Node>),
    Any(Vec<Node>),
    Choice(Box<Node>, Box<Node>, Box<Node>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Call(Function, Vec<Node>),
    Macro(Macro, Box<Node>, String, Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    Equal,
    NotEqual,
    In,
}

/// By rising precedence, those that are left-associative.
const LEVELS: [&[(&str, Operator)]; 3] = [
    &[
        ("<", Operator::Less),
        ("<=", Operator::LessOrEqual),
        (">", Operator::More),
        (">=", Operator::MoreOrEqual),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];

/// Words that the language keeps.
const RESERVED: [&str; 21] = [
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "true",
    "false",
    "null",
];

/// A node, and how deep its deepest leaf is.
type Built = (Node, usize);

/// The tree of a whole expression.
///
/// # Errors
/// [`NotAnExpression`].
pub(super) fn parse(tokens: &[Token]) -> Result<Node, NotAnExpression> {
    let mut parser = Parser { tokens, next: 0, open: 0 };
    let (root, _) = parser.expression()?;
    match parser.peek() {
        None => Ok(root),
        Some(_) => Err(parser.wrong("the expression is over here, and more follows")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    /// Expressions that are being read, each within the one before.
    open: usize,
}

impl<'a> Parser<'a> {
    fn expression(&mut self) -> Result<Built, NotAnExpression> {
        self.open += 1;
        if self.open > MAX_DEPTH {
            return Err(self.too_deep());
        }
        let condition = self.joined("||")?;
        let whole = if self.takes("?") {
            let (yes, yes_depth) = self.joined("||")?;
            self.expect(":")?;
            let (no, no_depth) = self.expression()?;
            let (condition, depth) = condition;
            let deepest = depth.max(yes_depth).max(no_depth);
            self.built(Node::Choice(Box::new(condition), Box::new(yes), Box::new(no)), deepest)?
        } else {
            condition
        };
        self.open -= 1;
        Ok(whole)
    }

    /// What `||` or `&&` joins: as one node, however many they are.
    fn joined(&mut self, by: &'static str) -> Result<Built, NotAnExpression> {
        let mut deepest = 0;
        let mut parts = Vec::new();
        loop {
            let (part, depth) = if by == "||" { self.joined("&&")? } else { self.binary(0)? };
            deepest = deepest.max(depth);
            parts.push(part);
            if !self.takes(by) {
                break;
            }
        }
        match parts.len() {
            1 => parts.pop().map(|part| (part, deepest)).ok_or_else(|| self.wrong("something is missing")),
            _ if by == "||" => self.built(Node::Any(parts), deepest),
            _ => self.built(Node::All(parts), deepest),
        }
    }

    fn binary(&mut self, level: usize) -> Result<Built, NotAnExpression> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let (mut left, mut depth) = self.binary(level + 1)?;
        while let Some(operator) = self.operator(operators, level) {
            self.next += 1;
            let (right, right_depth) = self.binary(level + 1)?;
            let node = Node::Binary(operator, Box::new(left), Box::new(right));
            (left, depth) = self.built(node, depth.max(right_depth))?;
        }
        Ok((left, depth))
    }

    fn operator(&self, operators: &[(&str, Operator)], level: usize) -> Option<Operator> {
        match self.peek()? {
            Kind::Sign(sign) => {
                operators.iter().find(|(text, _)| text == sign).map(|(_, operator)| *operator)
            }
            Kind::Name(name) if level == 0 && name == "in" => Some(Operator::In),
            _ => None,
        }
    }

    fn unary(&mut self) -> Result<Built, NotAnExpression> {
        let negations = self.count("!");
        if negations > 0 {
            let (node, depth) = self.postfix()?;
            // An even number of them still asks for true or false.
            let once = self.built(Node::Not(Box::new(node)), depth)?;
            return if negations % 2 == 1 {
                Ok(once)
            } else {
                self.built(Node::Not(Box::new(once.0)), once.1)
            };
        }
        let minuses = self.count("-");
        if minuses == 0 {
            return self.postfix();
        }
        if let (Some(Kind::Int(number)), 1) = (self.peek(), minuses) {
            let number = 0i64.checked_sub_unsigned(*number);
            let number = number.ok_or_else(|| self.wrong("no number of 64 bits with a sign"))?;
            self.next += 1;
            return self.members((Node::Int(number), 1));
        }
        let (node, depth) = self.postfix()?;
        let once = self.built(Node::Negate(Box::new(node)), depth)?;
        if minuses % 2 == 1 { Ok(once) } else { self.built(Node::Negate(Box::new(once.0)), once.1) }
    }

    fn count(&mut self, sign: &'static str) -> usize {
        let mut count = 0;
        while self.takes(sign) {
            count += 1;
        }
        count
    }

    fn postfix(&mut self) -> Result<Built, NotAnExpression> {
        let primary = self.primary()?;
        self.members(primary)
    }

    fn members(&mut self, (mut node, mut depth): Built) -> Result<Built, NotAnExpression> {
        loop {
            if self.takes(".") {
                let name = self.name()?;
                let next = if self.takes("(") {
                    self.method(node, depth, &name)?
                } else {
                    self.built(Node::Field(Box::new(node), name), depth)?
                };
                (node, depth) = next;
            } else if self.takes("[") {
                let (index, index_depth) = self.expression()?;
                self.expect("]")?;
                (node, depth) =
                    self.built(Node::Index(Box::new(node), Box::new(index)), depth.max(index_depth))?;
            } else {
                return Ok((node, depth));
            }
        }
    }

    /// What follows the bracket of `target.name(`.
    fn method(&mut self, target: Node, depth: usize, name: &str) -> Result<Built, NotAnExpression> {
        if let Some(it) = Macro::named(name) {
            let variable = self.name()?;
            self.expect(",")?;
            let (body, body_depth) = self.expression()?;
            self.expect(")")?;
            let node = Node::Macro(it, Box::new(target), variable, Box::new(body));
            return self.built(node, depth.max(body_depth));
        }
        let (arguments, deepest) = self.list(")")?;
        let function = Function::method(name, arguments.len()).ok_or_else(|| self.no_function(name))?;
        let all = std::iter::once(target).chain(arguments).collect();
        self.built(Node::Call(function, all), depth.max(deepest))
    }

    fn primary(&mut self) -> Result<Built, NotAnExpression> {
        let Some(token) = self.tokens.get(self.next) else { return Err(self.wrong("something is missing")) };
        self.next += 1;
        let node = match &token.kind {
            Kind::Text(text) => Node::Text(text.clone()),
            Kind::Double(number) => Node::Double(*number),
            Kind::Int(number) => {
                let number = i64::try_from(*number);
                Node::Int(number.map_err(|_| self.wrong("no number of 64 bits with a sign"))?)
            }
            Kind::Sign("(") => {
                let inner = self.expression()?;
                self.expect(")")?;
                return Ok(inner);
            }
            Kind::Sign("[") => {
                let (elements, depth) = self.list("]")?;
                return self.built(Node::List(elements), depth);
            }
            Kind::Sign("{") => return self.map(),
            Kind::Sign(_) => {
                self.next -= 1;
                return Err(self.wrong("a value should stand here"));
            }
            Kind::Name(name) => match name.as_str() {
                "null" => Node::Null,
                "true" => Node::Bool(true),
                "false" => Node::Bool(false),
                name if self.takes("(") => return self.call(name),
                name => {
                    self.next -= 1;
                    Node::Name(self.name().map(|_| name.to_owned())?)
                }
            },
        };
        Ok((node, 1))
    }

    /// What follows the bracket of `name(`.
    fn call(&mut self, name: &str) -> Result<Built, NotAnExpression> {
        let (mut arguments, depth) = self.list(")")?;
        if name == "has" {
            return match (arguments.pop(), arguments.is_empty()) {
                (Some(Node::Field(of, field)), true) => Ok((Node::Has(of, field), depth)),
                _ => Err(self.wrong("`has` asks for one field, as in `has(event.name)`")),
            };
        }
        let function = Function::global(name, arguments.len()).ok_or_else(|| self.no_function(name))?;
        self.built(Node::Call(function, arguments), depth)
    }

    fn map(&mut self) -> Result<Built, NotAnExpression> {
        let (mut entries, mut deepest) = (Vec::new(), 0);
        while !self.takes("}") {
            let (key, key_depth) = self.expression()?;
            self.expect(":")?;
            let (value, value_depth) = self.expression()?;
            deepest = deepest.max(key_depth).max(value_depth);
            entries.push((key, value));
            if !self.takes(",") {
                self.expect("}")?;
                break;
            }
        }
        self.built(Node::Map(entries), deepest)
    }

    /// Expressions with commas between, up to the bracket `end`.
    fn list(&mut self, end: &'static str) -> Result<(Vec<Node>, usize), NotAnExpression> {
        let (mut nodes, mut deepest) = (Vec::new(), 0);
        while !self.takes(end) {
            let (node, depth) = self.expression()?;
            deepest = deepest.max(depth);
            nodes.push(node);
            if !self.takes(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok((nodes, deepest))
    }

    fn built(&self, node: Node, deepest_child: usize) -> Result<Built, NotAnExpression> {
        let depth = deepest_child + 1;
        if depth > MAX_DEPTH { Err(self.too_deep()) } else { Ok((node, depth)) }
    }

    fn peek(&self) -> Option<&'a Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn takes(&mut self, sign: &'static str) -> bool {
        let stands = self.peek() == Some(&Kind::Sign(sign));
        self.next += usize::from(stands);
        stands
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), NotAnExpression> {
        if self.takes(sign) { Ok(()) } else { Err(self.wrong(&format!("`{sign}` should stand here"))) }
    }

    fn name(&mut self) -> Result<String, NotAnExpression> {
        match self.peek() {
            Some(Kind::Name(name)) if !RESERVED.contains(&name.as_str()) => {
                self.next += 1;
                Ok(name.clone())
            }
            Some(Kind::Name(_)) => Err(self.wrong("this word is the language's own")),
            _ => Err(self.wrong("a name should stand here")),
        }
    }

    fn no_function(&self, name: &str) -> NotAnExpression {
        self.wrong(&format!("{name:?} is no function or macro with so many arguments here"))
    }

    fn too_deep(&self) -> NotAnExpression {
        self.wrong(&format!("an expression is at most {MAX_DEPTH} deep"))
    }

    fn wrong(&self, what: &str) -> NotAnExpression {
        let last = self.tokens.last().map_or(0, |token| token.at + 1);
        let at = self.tokens.get(self.next).map_or(last, |token| token.at) + 1;
        NotAnExpression { at, what: what.to_owned() }
    }
}
