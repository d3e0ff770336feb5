output "instance_id" {
  description = "The instance, for Session Manager: aws ssm start-session --target ID. PCR4 of the enclave is made from it."
  value       = aws_instance.parent.id
}

output "role_arn" {
  description = "The instance's role. PCR3 of the enclave is made from it."
  value       = aws_iam_role.parent.arn
}

output "address" {
  description = "Where clients connect, as the subnet gives it: put a name or a layer-4 balancer before it."
  value       = coalesce(aws_instance.parent.public_ip, aws_instance.parent.private_ip)
}
