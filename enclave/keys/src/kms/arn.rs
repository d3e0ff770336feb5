//! A KMS key's full name. An alias or a bare key id would leave it to somebody else which key is meant.

use std::fmt;

use super::policy::PolicyError;
use crate::limits::MAX_KEY_ARN_BYTES;

/// `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyArn {
    text: String,
    partition: String,
    region: String,
}

impl KeyArn {
    /// Reads a key ARN: the account has 12 digits; the id is a UUID, or `mrk-` and 32 hex digits.
    ///
    /// # Errors
    /// [`PolicyError::KeyArn`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let refused = |why| PolicyError::KeyArn { why };
        if text.len() > MAX_KEY_ARN_BYTES {
            return Err(refused("it is too long"));
        }
        let parts: Vec<&str> = text.split(':').collect();
        let &[arn, partition, kms, region, account, key] = parts.as_slice() else {
            return Err(refused("it has not six parts, as in arn:aws:kms:REGION:ACCOUNT:key/ID"));
        };
        if arn != "arn" || kms != "kms" {
            return Err(refused("it does not begin with arn:PARTITION:kms"));
        }
        if partition != "aws" && !partition.starts_with("aws-") || !is_label(partition) {
            return Err(refused("its partition is not aws, aws-cn, aws-us-gov or alike"));
        }
        if !is_label(region) || !region.contains('-') {
            return Err(refused("its region is not of the form eu-central-1"));
        }
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused("its account is not 12 digits"));
        }
        let id = key.strip_prefix("key/").ok_or_else(|| refused("it names no key: an alias can be moved"))?;
        if !is_uuid(id) && !id.strip_prefix("mrk-").is_some_and(|id| id.len() == 32 && is_hex(id)) {
            return Err(refused("its key id is neither a UUID nor mrk- with 32 hex digits"));
        }
        Ok(Self { text: text.to_owned(), partition: partition.to_owned(), region: region.to_owned() })
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The region, such as `eu-central-1`.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The host of KMS in the key's region, where its partition's domain is known.
    pub(super) fn default_host(&self) -> Option<String> {
        let domain = match self.partition.as_str() {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            _ => return None,
        };
        Some(format!("kms.{}.{domain}", self.region))
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Lower-case letters, digits and hyphens, as in a label of DNS.
fn is_label(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    plain && !text.is_empty() && text.len() <= 32 && !text.starts_with('-') && !text.ends_with('-')
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(is_hex)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_of_keys_are_read() {
        for (text, region, host) in [
            (
                "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                "eu-central-1",
                Some("kms.eu-central-1.amazonaws.com"),
            ),
            (
                "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
                "us-east-1",
                Some("kms.us-east-1.amazonaws.com"),
            ),
            (
                "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                "cn-north-1",
                Some("kms.cn-north-1.amazonaws.com.cn"),
            ),
            (
                "arn:aws-iso:kms:us-iso-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                "us-iso-east-1",
                None,
            ),
        ] {
            let arn = KeyArn::parse(text).unwrap();
            assert_eq!((arn.as_str(), arn.region()), (text, region));
            assert_eq!(arn.default_host().as_deref(), host);
        }
    }

    #[test]
    fn whatever_leaves_the_key_open_is_refused() {
        let good = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        for wrong in [
            "",
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "alias/appliance",
            "arn:aws:kms:eu-central-1:111122223333:alias/appliance",
            &good.replace(":kms:", ":s3:"),
            &good.replace("arn:aws:", "arn:evil:"),
            &good.replace("eu-central-1", "*"),
            &good.replace("eu-central-1", "eu-central-1.evil.example/x-"),
            &good.replace("eu-central-1", ""),
            &good.replace("111122223333", "11112222333"),
            &good.replace("1234abcd-", "1234ABCD-"),
            &good.replace("-12ab-34cd-", "-12ab34-cd-"),
            &format!("{good}:more"),
            &format!("{good} "),
            &good.replace("key/", "key/mrk-"),
            &format!("{good}{}", "0".repeat(MAX_KEY_ARN_BYTES)),
        ] {
            assert!(matches!(KeyArn::parse(wrong), Err(PolicyError::KeyArn { .. })), "{wrong:?}");
        }
    }
}
