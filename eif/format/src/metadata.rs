//! The description that AWS's tools demand in an image and show. No register measures it, so nobody may rely on it.

use serde::Serialize;

/// Tools want a time of building, which would make two builds of one source differ. So it is always this one; when a
/// release was made is told by the release.
const BUILD_TIME: &str = "1970-01-01T00:00:00Z";

/// What tools such as `nitro-cli describe-eif` show of an image. They refuse an image without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// The name of the image.
    pub image_name: &'a str,
    /// The version of the image.
    pub image_version: &'a str,
    /// The program that built it.
    pub build_tool: &'a str,
    /// The version of that program.
    pub build_tool_version: &'a str,
    /// The operating system in it.
    pub operating_system: &'a str,
    /// The version of its kernel.
    pub kernel_version: &'a str,
}

impl Metadata<'_> {
    /// The content of the metadata section: JSON whose fields and their order are AWS's. Depends on nothing but the
    /// fields.
    pub fn to_json(&self) -> Vec<u8> {
        let form = Form {
            image_name: self.image_name,
            image_version: self.image_version,
            build: Build {
                time: BUILD_TIME,
                tool: self.build_tool,
                tool_version: self.build_tool_version,
                operating_system: self.operating_system,
                kernel: self.kernel_version,
            },
            docker_info: Nothing {},
            custom_metadata: Nothing {},
        };
        // Text fields alone: this cannot fail.
        serde_json::to_vec(&form).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Form<'a> {
    image_name: &'a str,
    image_version: &'a str,
    #[serde(rename = "BuildMetadata")]
    build: Build<'a>,
    docker_info: Nothing,
    custom_metadata: Nothing,
}

#[derive(Serialize)]
struct Build<'a> {
    #[serde(rename = "BuildTime")]
    time: &'a str,
    #[serde(rename = "BuildTool")]
    tool: &'a str,
    #[serde(rename = "BuildToolVersion")]
    tool_version: &'a str,
    #[serde(rename = "OperatingSystem")]
    operating_system: &'a str,
    #[serde(rename = "KernelVersion")]
    kernel: &'a str,
}

#[derive(Serialize)]
struct Nothing {}
