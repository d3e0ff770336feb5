variable "region" {
  description = "The AWS region."
  type        = string
}

variable "vpc_id" {
  description = "The VPC of the instance."
  type        = string
}

variable "subnet_id" {
  description = "The subnet of the instance. It needs a way to S3, Session Manager and Amazon Linux's packages."
  type        = string
}

variable "client_cidrs" {
  description = "From where clients may connect."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "instance_type" {
  description = "At least 4 vCPUs and not a burstable type: enclaves need whole cores of a Nitro machine."
  type        = string
  default     = "c6i.xlarge"
}

variable "disk_gib" {
  description = "The root volume, with the sealed records on it."
  type        = number
  default     = 32
}

variable "enclave_memory_mib" {
  description = "Memory of the enclave, set aside for it and given to it."
  type        = number
  default     = 2048
}

variable "enclave_cpus" {
  description = "Processors of the enclave, set aside for it and given to it: an even number."
  type        = number
  default     = 2

  validation {
    condition     = var.enclave_cpus >= 2 && var.enclave_cpus % 2 == 0
    error_message = "Whole cores alone can be given to an enclave: an even number of processors."
  }
}

variable "release_bucket" {
  description = "The S3 bucket with the release: r3e-parent, r3e.eif, reference-values.json, enclave.toml."
  type        = string
}

variable "release_prefix" {
  description = "The prefix of the release in the bucket, without slashes at its ends."
  type        = string
}

variable "release_sha256sums" {
  description = "The lines of sha256sum for the four files of the release, as you checked them."
  type        = string

  validation {
    condition     = length(regexall("(?m)^[0-9a-f]{64}  (r3e-parent|r3e\\.eif|reference-values\\.json|enclave\\.toml)$", var.release_sha256sums)) == 4
    error_message = "Four lines of sha256sum are needed: r3e-parent, r3e.eif, reference-values.json and enclave.toml."
  }
}
