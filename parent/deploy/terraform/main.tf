# One EC2 instance with enclave support that runs an R3E appliance.
#
# The image, the parent and its configuration are fetched from one S3 prefix, and checked against the hashes given here:
# who may write to the bucket may not choose what runs. (Clients verify all of it again, by attestation.)

terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.60"
    }
  }
}

provider "aws" {
  region = var.region
}

data "aws_ssm_parameter" "al2023" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

resource "aws_security_group" "parent" {
  name_prefix = "r3e-parent-"
  description = "Clients of the enclave in, HTTPS out"
  vpc_id      = var.vpc_id

  # TLS ends in the enclave; there is no other port, and no SSH. Session Manager is the way in.
  ingress {
    description = "Clients"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = var.client_cidrs
  }

  # What the enclave fetches, and what this machine installs itself from.
  egress {
    description = "HTTPS"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

# The machine may read its own release, and be administered by Session Manager. No key of KMS is named: whatever this role
# may decrypt by a policy of IAM, the parent may, and the parent is not trusted. For `aws-kms` the key's own policy names the
# role, with a condition on the attestation document that the parent cannot meet (docs/unlock.md).
data "aws_iam_policy_document" "parent" {
  statement {
    sid       = "ReadRelease"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::${var.release_bucket}/${var.release_prefix}/*"]
  }
}

resource "aws_iam_role" "parent" {
  name_prefix        = "r3e-parent-"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "parent" {
  name_prefix = "r3e-parent-"
  role        = aws_iam_role.parent.id
  policy      = data.aws_iam_policy_document.parent.json
}

resource "aws_iam_role_policy_attachment" "session_manager" {
  role       = aws_iam_role.parent.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "parent" {
  name_prefix = "r3e-parent-"
  role        = aws_iam_role.parent.name
}

# The settings of parent.toml, with the memory and the processors that are set aside.
locals {
  with_memory = replace(file("${path.module}/../parent.toml"), "/(?m)^memory = [0-9]+$/", "memory = ${var.enclave_memory_mib}")
  parent_toml = replace(local.with_memory, "/(?m)^cpus = [0-9]+$/", "cpus = ${var.enclave_cpus}")
}

resource "aws_instance" "parent" {
  ami                    = data.aws_ssm_parameter.al2023.value
  instance_type          = var.instance_type
  subnet_id              = var.subnet_id
  vpc_security_group_ids = [aws_security_group.parent.id]
  iam_instance_profile   = aws_iam_instance_profile.parent.name

  # Cannot be switched on later without a stop.
  enclave_options {
    enabled = true
  }

  # IMDSv2 alone, and not through a hop: egress refuses this address, and what a function makes the enclave fetch has no
  # token. The unlock provider `aws-kms` gets the role's credentials by a question of their own.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  # Sealed records: encrypted by the enclave already, and by the volume, which costs nothing.
  root_block_device {
    volume_type           = "gp3"
    volume_size           = var.disk_gib
    encrypted             = true
    delete_on_termination = false
  }

  user_data_replace_on_change = true
  user_data = templatefile("${path.module}/user-data.sh.tftpl", {
    release     = "s3://${var.release_bucket}/${var.release_prefix}"
    sha256sums  = var.release_sha256sums
    memory_mib  = var.enclave_memory_mib
    cpu_count   = var.enclave_cpus
    parent_toml = local.parent_toml
    unit        = file("${path.module}/../r3e-parent.service")
    sysusers    = file("${path.module}/../r3e.conf")
    tmpfiles    = file("${path.module}/../r3e-tmpfiles.conf")
  })

  tags = {
    Name = "r3e-parent"
  }
}
