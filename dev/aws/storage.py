"""What lasts besides the database: the files of runs, and the invocations that failed."""

from __future__ import annotations

from typing import Any

from dev.aws.names import stack_name

Template = dict[str, Any]

KEPT_DAYS = 30
"""Days for which the files of a run can be fetched."""

FORTNIGHT = 14 * 24 * 3600
"""Seconds; SQS keeps nothing longer."""

PRIVATE = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
"""All that S3 has against the public."""


def storage(stage: str) -> Template:
    """The bucket and the queue."""
    return {**_bucket(), **_undone(stage)}


def _bucket() -> Template:
    """What runs leave: encrypted, private, over TLS only, and gone after a month."""
    everything = [{"Fn::GetAtt": ["Output", "Arn"]}, {"Fn::Sub": "${Output.Arn}/*"}]
    tls_only = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": everything,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    expiry = {
        "Id": "runs",
        "Status": "Enabled",
        "Prefix": "runs/",
        "ExpirationInDays": KEPT_DAYS,
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    aes = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    return {
        "Output": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketEncryption": {"ServerSideEncryptionConfiguration": [aes]},
                "PublicAccessBlockConfiguration": dict.fromkeys(PRIVATE, True),
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "LifecycleConfiguration": {"Rules": [expiry]},
            },
        },
        "OutputPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Output"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [tls_only]},
            },
        },
    }


def _undone(stage: str) -> Template:
    """Where invocations go that failed for good, with the event and the reason."""
    return {
        "Undone": {
            "Type": "AWS::SQS::Queue",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "QueueName": f"{stack_name(stage)}-undone",
                "MessageRetentionPeriod": FORTNIGHT,
                "SqsManagedSseEnabled": True,
            },
        }
    }
