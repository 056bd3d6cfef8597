"""A real S3 endpoint on this machine, and a company whose files, or landing, lie in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import boto3
import httpx
from moto.server import ThreadedMotoServer

KEY = "AKIATANGGATESTKEY000"
SECRET = "s3cr3t/Of+The==Lake"


class ObjectStore:
    """`connection` is what Airflow would know of it."""

    def __init__(self):
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self.client = boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET
        )

    def stop(self) -> None:
        self._server.stop()

    def connection(self, *, login: str | None = KEY, password: str | None = SECRET, **extra: str) -> str:
        extra = {"endpoint_url": self.url, "region_name": "us-east-1"} | extra
        return json.dumps({"conn_type": "aws", "login": login, "password": password, "extra": extra})

    def check_credentials(self, checked: bool) -> None:
        httpx.post(f"{self.url}/moto-api/reset-auth", content="0" if checked else "inf").raise_for_status()


@dataclass
class Bucket:
    store: ObjectStore
    name: str

    def put(self, key: str, content: str | bytes) -> None:
        body = content.encode() if isinstance(content, str) else content
        self.store.client.put_object(Bucket=self.name, Key=key, Body=body)

    def delete(self, key: str) -> None:
        self.store.client.delete_object(Bucket=self.name, Key=key)

    def tree(self) -> dict[str, tuple[bytes, str, datetime]]:
        """Every object, with its bytes, its ETag and when it was written."""
        pages = self.store.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        found = [entry for page in pages for entry in page.get("Contents", [])]
        return {
            entry["Key"]: (
                self.store.client.get_object(Bucket=self.name, Key=entry["Key"])["Body"].read(),
                entry["ETag"],
                entry["LastModified"],
            )
            for entry in found
        }

    def uploads(self) -> list:
        return self.store.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
