//! The names in the certificates, in the form of the hardware's.

use rcgen::{DistinguishedName, DnType, DnValue};

use crate::error::FakeNsmError;

/// Who the certificates claim to be from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The organization.
    pub organization: String,
    /// Its unit.
    pub unit: String,
    /// The root's common name, and the end of all others.
    pub domain: String,
    /// The region in the names below the root.
    pub region: String,
}

impl Names {
    /// Names that say what they are.
    pub fn test() -> Self {
        Self::of("R3E test", "Fake NSM, trust nothing", "test.nitro-enclaves")
    }

    /// The names of the real authority, for an impostor's chain.
    pub fn aws() -> Self {
        Self::of("Amazon", "AWS", "aws.nitro-enclaves")
    }

    fn of(organization: &str, unit: &str, domain: &str) -> Self {
        Self {
            organization: organization.to_owned(),
            unit: unit.to_owned(),
            domain: domain.to_owned(),
            region: "us-east-1".to_owned(),
        }
    }

    pub(crate) fn root(&self) -> Result<DistinguishedName, FakeNsmError> {
        self.subject(&self.domain)
    }

    pub(crate) fn regional(&self) -> Result<DistinguishedName, FakeNsmError> {
        self.subject(&format!("d3c9df74fdeb2ba5.{}.{}", self.region, self.domain))
    }

    pub(crate) fn zonal(&self) -> Result<DistinguishedName, FakeNsmError> {
        self.placed(&format!("db5d852a812a3d1e.zonal.{}.{}", self.region, self.domain))
    }

    /// The instance is the part of `module_id` before `-enc`.
    pub(crate) fn instance(&self, module_id: &str) -> Result<DistinguishedName, FakeNsmError> {
        let instance = module_id.split_once("-enc").map_or(module_id, |(instance, _)| instance);
        self.placed(&format!("{instance}.{}.{}", self.region, self.domain))
    }

    pub(crate) fn leaf(&self, module_id: &str) -> Result<DistinguishedName, FakeNsmError> {
        let partition = self.domain.split('.').next().unwrap_or_default();
        self.placed(&format!("{module_id}.{}.{partition}", self.region))
    }

    fn placed(&self, common_name: &str) -> Result<DistinguishedName, FakeNsmError> {
        let mut name = self.subject(common_name)?;
        name.push(DnType::StateOrProvinceName, "Washington");
        name.push(DnType::LocalityName, "Seattle");
        Ok(name)
    }

    fn subject(&self, common_name: &str) -> Result<DistinguishedName, FakeNsmError> {
        let mut name = DistinguishedName::new();
        name.push(DnType::CountryName, DnValue::PrintableString("US".try_into()?));
        name.push(DnType::OrganizationName, self.organization.as_str());
        name.push(DnType::OrganizationalUnitName, self.unit.as_str());
        name.push(DnType::CommonName, common_name);
        Ok(name)
    }
}
