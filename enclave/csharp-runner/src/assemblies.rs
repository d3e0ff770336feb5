//! The assemblies that stand in the program, and nowhere else: what a runtime loads by name is found here.

/// Assemblies by name, as bytes for as long as the program runs.
#[derive(Clone, Copy, Debug)]
pub struct Assemblies(pub &'static [(&'static str, &'static [u8])]);

/// Those that a function is compiled against; the others are the compiler's, or are loaded by these.
pub(crate) const REFERENCES: &[&str] =
    &["mscorlib", "System", "System.Core", "System.Numerics", "System.Xml", "R3E"];

impl Assemblies {
    /// The bytes of an assembly. A name may end as a file's does.
    pub(crate) fn find(self, name: &str) -> Option<&'static [u8]> {
        let name = name.strip_suffix(".dll").or_else(|| name.strip_suffix(".exe")).unwrap_or(name);
        self.0.iter().find(|(found, _)| *found == name).map(|(_, bytes)| *bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_assemblies() {
        let assemblies = Assemblies(&[("mscorlib", b"a"), ("mcs", b"b")]);
        assert_eq!(assemblies.find("mscorlib"), Some(&b"a"[..]));
        assert_eq!(assemblies.find("mscorlib.dll"), Some(&b"a"[..]));
        assert_eq!(assemblies.find("mcs.exe"), Some(&b"b"[..]));
        for none in ["", "System", "../mscorlib", "mscorlib.dll.dll"] {
            assert_eq!(assemblies.find(none), None, "{none}");
        }
    }
}
