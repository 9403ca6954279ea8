"""What cloud stories have beside a folder: a bucket, and clusters that are given credentials by their environment."""
import os
import subprocess

import cluster as local
from clustertests.harness import Place, RunningCluster

from . import clouds


class CloudCluster(RunningCluster):
    """`environment` is that of its processes, beside what every program has."""

    def __init__(self, folder, environment):
        super().__init__(folder)
        self.environment = environment

    def script(self, *arguments):
        command = [os.path.join(local.top, "scripts", "local-cluster"), *arguments, "--dir", self.folder]
        return subprocess.run(command, capture_output=True, text=True, env=self.environment)


class CloudPlace(Place):
    def __init__(self, folder, running):
        super().__init__(folder)
        self.clouds = running
        self.name = os.path.basename(folder)

    @property
    def bucket(self):
        """This story's own, made when first asked for."""
        if not hasattr(self, "_bucket"):
            name = self.name.replace("_", "-").lower()[:40].strip("-")
            self.s3.create_bucket(Bucket=name)
            self._bucket = name
        return self._bucket

    @property
    def s3(self):
        """boto3's client."""
        return clouds.client(self.clouds.s3().url)

    def keys(self, prefix="", bucket=None):
        """{key: size} of the bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket or self.bucket, Prefix=prefix)
        return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}

    def environment(self, keys=clouds.ADMIN, **more):
        """For processes that use SeaweedFS as S3; `keys` None gives no credentials. Nothing of this machine's own AWS settings remains."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {"AWS_REGION": clouds.REGION, "AWS_ENDPOINT_URL_S3": self.clouds.s3().url, "AWS_EC2_METADATA_DISABLED": "true",
                        "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
        if keys:
            environment |= {"AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1]}
        return environment | {name: value for name, value in more.items() if value is not None}

    def cluster(self, taskmanagers=2, slots=1, settings=(), environment=None):
        """`settings`: `key=value` of config.yaml."""
        cluster = CloudCluster(self.path(f"cluster-{len(self.clusters) + 1}"), environment or self.environment())
        self.clusters.append(cluster)
        cluster.start(taskmanagers, slots, settings)
        cluster.processes()
        return cluster
