//! The settings of one run: options, else variables, else the profile, else what stands here.

use std::fmt;
use std::path::PathBuf;

use clap::ArgMatches;
use clap::parser::ValueSource;
use r3e_client::{ApiKey, Credential, MemberKey, SigningKey, limits};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::Global;
use crate::credentials;
use crate::error::CliError;
use crate::known::{Known, KnownDigests};
use crate::profile::{self, Folders};

/// The variable that holds an API key. There is no option for it: an argument is seen by every process.
pub(crate) const API_KEY_VARIABLE: &str = "R3E_API_KEY";

/// Where a setting comes from; the first one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    Option,
    Variable,
    Profile,
    Default,
}

/// A setting and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Set<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

/// The settings of one run.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) profile: String,
    pub(crate) folders: Folders,
    pub(crate) address: Option<Set<String>>,
    pub(crate) reference_values: Option<Set<PathBuf>>,
    pub(crate) setup_reference_values: Option<Set<PathBuf>>,
    pub(crate) pin_configuration: Option<Set<PathBuf>>,
    pub(crate) test_root: Option<Set<PathBuf>>,
    pub(crate) max_age: Set<u64>,
    pub(crate) clock_skew: Set<u64>,
    pub(crate) key_file: Set<PathBuf>,
    pub(crate) operator_key_file: Set<PathBuf>,
    pub(crate) member_key_file: Set<PathBuf>,
    pub(crate) accept_configuration: Option<String>,
    pub(crate) accept_identity: Option<String>,
    pub(crate) any_configuration: bool,
    pub(crate) accept_rolled_back: bool,
}

impl Settings {
    /// Puts the settings together.
    pub(crate) fn resolve(global: Global, matches: &ArgMatches) -> Result<Self, CliError> {
        let folders = Folders::from_environment()?;
        let (profile, file) = profile::load(&folders.profile_file(), global.profile.as_deref())?;
        let pick = Pick(matches);
        let key = |name| Set { value: folders.config.join(name), source: Source::Default };
        let seconds = |ms| Set { value: ms / 1000, source: Source::Default };
        Ok(Self {
            address: pick.one("address", global.address, file.address),
            reference_values: pick.one("reference_values", global.reference_values, file.reference_values),
            setup_reference_values: pick.one(
                "setup_reference_values",
                global.setup_reference_values,
                file.setup_reference_values,
            ),
            pin_configuration: pick.one(
                "pin_configuration",
                global.pin_configuration,
                file.pin_configuration,
            ),
            test_root: pick.one("test_root", global.test_root, file.test_root),
            max_age: pick
                .one("max_age", global.max_age, file.max_age)
                .unwrap_or_else(|| seconds(limits::MAX_AGE_MS)),
            clock_skew: pick
                .one("clock_skew", global.clock_skew, file.clock_skew)
                .unwrap_or_else(|| seconds(limits::CLOCK_SKEW_MS)),
            key_file: pick
                .one("key_file", global.key_file, file.key_file)
                .unwrap_or_else(|| key("tenant.pem")),
            operator_key_file: pick
                .one("operator_key_file", global.operator_key_file, file.operator_key_file)
                .unwrap_or_else(|| key("operator.pem")),
            member_key_file: pick
                .one("member_key_file", global.member_key_file, file.member_key_file)
                .unwrap_or_else(|| key("member.pem")),
            accept_configuration: global.accept_configuration,
            accept_identity: global.accept_identity,
            any_configuration: global.any_configuration,
            accept_rolled_back: global.accept_rolled_back,
            profile,
            folders,
        })
    }

    /// Where this profile's API key is saved.
    pub(crate) fn credentials_path(&self) -> PathBuf {
        credentials::path(&self.folders.config, &self.profile)
    }

    /// The configurations that were seen and accepted.
    pub(crate) fn known_configurations(&self) -> KnownDigests {
        KnownDigests::configurations(&self.folders.config)
    }

    /// The appliances that were seen and accepted.
    pub(crate) fn known_appliances(&self) -> Known<64> {
        Known::appliances(&self.folders.config)
    }

    /// The quorums' setups that were approved.
    pub(crate) fn known_setups(&self) -> KnownDigests {
        KnownDigests::setups(&self.folders.config)
    }

    /// How requests of the tenant are shown to be its: `--key-file`; else the API key in the variable, else the key file
    /// in its variable; else the API key that `r3e login` saved, else the profile's key file.
    pub(crate) fn credential(&self) -> Result<Credential, CliError> {
        if self.key_file.source == Source::Option {
            return self.signing_key().map(Credential::Key);
        }
        if let Some(key) = api_key_variable()? {
            return Ok(Credential::ApiKey(key));
        }
        if self.key_file.source == Source::Variable {
            return self.signing_key().map(Credential::Key);
        }
        if let Some(key) = credentials::load(&self.credentials_path())? {
            return Ok(Credential::ApiKey(key));
        }
        self.signing_key().map(Credential::Key)
    }

    /// The tenant's own key.
    pub(crate) fn signing_key(&self) -> Result<SigningKey, CliError> {
        if self.key_file.source == Source::Default && !self.key_file.value.exists() {
            return Err(self.missing("tenant's key", "--key-file PEM", "R3E_KEY_FILE", "key_file"));
        }
        Ok(SigningKey::read(&self.key_file.value)?)
    }

    /// The operator's key.
    pub(crate) fn operator_key(&self) -> Result<SigningKey, CliError> {
        let file = &self.operator_key_file;
        if file.source == Source::Default && !file.value.exists() {
            let (option, variable) = ("--operator-key-file PEM", "R3E_OPERATOR_KEY_FILE");
            return Err(self.missing("operator's key", option, variable, "operator_key_file"));
        }
        Ok(SigningKey::read(&file.value)?)
    }

    /// The keys of a quorum's member.
    pub(crate) fn member_key(&self) -> Result<MemberKey, CliError> {
        self.member_key_if_any()?.ok_or_else(|| {
            let (option, variable) = ("--member-key-file PEM", "R3E_MEMBER_KEY_FILE");
            self.missing("member's key", option, variable, "member_key_file")
        })
    }

    /// The same; none where none was named and there is none in its default place.
    pub(crate) fn member_key_if_any(&self) -> Result<Option<MemberKey>, CliError> {
        let file = &self.member_key_file;
        if file.source == Source::Default && !file.value.exists() {
            return Ok(None);
        }
        Ok(Some(MemberKey::read(&file.value)?))
    }

    /// A setting that is nowhere.
    pub(crate) fn missing(
        &self,
        what: &'static str,
        option: &'static str,
        variable: &'static str,
        key: &'static str,
    ) -> CliError {
        let file = self.folders.profile_file().display().to_string();
        CliError::Missing { what, option, variable, key, file }
    }
}

/// The API key in its variable.
pub(crate) fn api_key_variable() -> Result<Option<ApiKey>, CliError> {
    match std::env::var(API_KEY_VARIABLE).map(Zeroizing::new) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => ApiKey::parse(text)
            .map(Some)
            .map_err(|source| CliError::ApiKey { place: API_KEY_VARIABLE.to_owned(), source }),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(CliError::ApiKey { place: API_KEY_VARIABLE.to_owned(), source: r3e_client::ApiKeyError })
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Option => "option",
            Self::Variable => "variable",
            Self::Profile => "profile",
            Self::Default => "default",
        })
    }
}

struct Pick<'a>(&'a ArgMatches);

impl Pick<'_> {
    /// The option or variable `id` as clap read it, else the profile's.
    fn one<T>(&self, id: &str, given: Option<T>, profile: Option<T>) -> Option<Set<T>> {
        let source = match self.0.value_source(id) {
            Some(ValueSource::EnvVariable) => Source::Variable,
            _ => Source::Option,
        };
        given
            .map(|value| Set { value, source })
            .or_else(|| profile.map(|value| Set { value, source: Source::Profile }))
    }
}
