"""Where credentials come from, and what is said when something about them is wrong."""
import os
import subprocess

from cluster import swiftwater, wait

from clustertests.harness import check, say, story

from . import clouds, stubs

SQL = """SET 'execution.checkpointing.interval' = '200 ms';
SET 'execution.checkpointing.dir' = '{folder}';
SET 'restart-strategy.type' = 'none';
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
CREATE TABLE nothing (n BIGINT, c BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO nothing SELECT n, COUNT(*) FROM numbers GROUP BY n;
"""


def checkpoints_with(place, environment, settings=()):
    """Runs a job until three of its checkpoints are in the bucket."""
    cluster = place.cluster(taskmanagers=1, slots=1, environment=environment, settings=settings)
    job = cluster.submit(place.write("job.sql", SQL.format(folder=f"s3://{place.bucket}/checkpoints")))
    wait(lambda: cluster.completed(job) > 2, 30, "checkpoints in the bucket")
    check(place.keys("checkpoints/"), "nothing is in the bucket")
    cluster.client("cancel", job)
    return cluster


def not_shown(cluster, *secrets):
    """No secret is in a log or in the REST API's configuration."""
    text = "".join(cluster.log_text(name.removesuffix(".log")) for name in os.listdir(os.path.join(cluster.folder, "log")) if name.endswith(".log"))
    text += str(cluster.get("/jobmanager/config"))
    for secret in secrets:
        check(secret not in text, "a secret is shown")


@story
def web_identity_is_exchanged_for_credentials(place):
    token = place.write("token", "eyJhbGciOiJSUzI1NiJ9.stub.token")
    # moto makes keys up, and checks no signature: the bucket lies in moto as well.
    moto = place.clouds.moto().url
    s3 = clouds.client(moto)
    s3.create_bucket(Bucket="web-identity", CreateBucketConfiguration={"LocationConstraint": clouds.REGION})
    environment = place.environment(
        keys=None, AWS_ENDPOINT_URL_S3=moto, AWS_ENDPOINT_URL_STS=moto, AWS_WEB_IDENTITY_TOKEN_FILE=token, AWS_ROLE_ARN="arn:aws:iam::123456789012:role/worker")
    cluster = place.cluster(taskmanagers=1, slots=1, environment=environment)
    job = cluster.submit(place.write("job.sql", SQL.format(folder="s3://web-identity/checkpoints")))
    wait(lambda: cluster.completed(job) > 2, 30, "checkpoints in the bucket")
    check(s3.list_objects_v2(Bucket="web-identity").get("Contents"), "nothing is in the bucket")
    cluster.client("cancel", job)


@story
def instances_give_the_credentials_of_their_role(place):
    stub = stubs.instance(clouds.ADMIN, clouds.REGION)
    try:
        environment = place.environment(keys=None, AWS_EC2_METADATA_SERVICE_ENDPOINT=stub.url, AWS_EC2_METADATA_DISABLED="false")
        not_shown(checkpoints_with(place, environment), clouds.ADMIN[1])
        asked = [path for method, path, status in stub.asked if status == 200]
        check("/latest/meta-data/iam/security-credentials/worker-role" in asked, f"IMDS was asked {stub.asked}")
        # Notices to Spot instances are looked for as well, and are not there.
        check(all(status == 200 for _, path, status in stub.asked if "token" in path or "iam" in path), f"IMDS refused: {stub.asked}")
    finally:
        stub.stop()


@story
def pods_give_the_credentials_of_their_service_account(place):
    stub = stubs.pod_identity(clouds.ADMIN, "the-token-of-the-pod")
    try:
        environment = place.environment(
            keys=None, AWS_CONTAINER_CREDENTIALS_FULL_URI=stub.url + "/v1/credentials",
            AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=place.write("token", "the-token-of-the-pod\n"))
        not_shown(checkpoints_with(place, environment), clouds.ADMIN[1], "the-token-of-the-pod")
        check([status for _, _, status in stub.asked] == [200, 200], f"the JobManager and the TaskManager ask once each: {stub.asked}")
    finally:
        stub.stop()


@story
def keys_and_endpoint_may_stand_in_the_configuration(place):
    environment = place.environment(keys=None, AWS_ENDPOINT_URL_S3="http://127.0.0.1:9", AWS_REGION="nowhere")
    cluster = checkpoints_with(place, environment, settings=[
        f"s3.endpoint={place.clouds.s3().url}", f"fs.s3a.access.key={clouds.ADMIN[0]}", f"s3.secret-key={clouds.ADMIN[1]}", "s3.path.style.access=true",
        f"s3.region={clouds.REGION}"])
    not_shown(cluster, clouds.ADMIN[1])


@story
def over_tls_the_server_must_be_trusted(place):
    pem = place.path("server.pem")
    subprocess.run([
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext",
        "subjectAltName=IP:127.0.0.1", "-keyout", place.path("key.pem"), "-out", place.path("cert.pem")], check=True, capture_output=True)
    with open(place.path("cert.pem")) as certificate, open(place.path("key.pem")) as key:
        place.write("server.pem", certificate.read() + key.read())
    front = stubs.Unreliable(place.clouds.s3().url, slow=0, silent=0, certificate=pem)
    try:
        checkpoints_with(place, place.environment(AWS_ENDPOINT_URL_S3=front.url, AWS_CA_BUNDLE=place.path("cert.pem")))
        cluster = place.cluster(taskmanagers=1, slots=1, environment=place.environment(AWS_ENDPOINT_URL_S3=front.url), settings=["s3.attempts.maximum=2"])
        place.start(swiftwater, "submit", place.path("job.sql"), "--jobmanager", cluster.url)
        wait(lambda: "CERTIFICATE_VERIFY_FAILED" in cluster.log_text("jobmanager"), 20, "the refusal of the certificate in the log")
    finally:
        front.stop()


@story
def what_is_wrong_is_said_with_the_call_and_what_to_do(place):
    """(what is wrong, environment, folder, words that must be said, secrets that must not)"""
    ours = f"s3://{place.bucket}/checkpoints"
    wrong_secret = (clouds.ADMIN[0], "wrong-secret-0123456789")
    cases = [
        ("a wrong secret", place.environment(keys=wrong_secret), ours, ["SignatureDoesNotMatch", "secret key does not belong"], wrong_secret[1]),
        ("an unknown key", place.environment(keys=("AKIAUNKNOWN", "unknown-secret")), ours, ["InvalidAccessKeyId", "access key is not known"], "unknown-secret"),
        ("a user who may only read", place.environment(keys=clouds.READER), ours, ["AccessDenied", "not permitted"], clouds.READER[1]),
        ("a missing bucket", place.environment(), "s3://no-such-bucket-here/checkpoints", ["NoSuchBucket", "Create the bucket"], clouds.ADMIN[1]),
        ("no credentials at all", place.environment(keys=None), ours, ["NoCredentials", "AWS_ACCESS_KEY_ID"], clouds.ADMIN[1]),
        ("nobody at the endpoint", place.environment(AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{clouds.free_port()}"), ours, ["ConnectFailed", "127.0.0.1"], clouds.ADMIN[1]),
    ]
    for what, environment, folder, words, secret in cases:
        cluster = place.cluster(taskmanagers=1, slots=1, environment=environment, settings=["s3.attempts.maximum=2"])
        # Whoever submits waits until the job's storage has taken it; the log says what keeps it.
        place.start(swiftwater, "submit", place.write("job.sql", SQL.format(folder=folder)), "--jobmanager", cluster.url)
        wait(lambda: all(word in cluster.log_text("jobmanager") for word in ["S3 ", *words]), 20, f"{what}: {words} in the JobManager's log")
        line = next(line for line in cluster.log_text("jobmanager").splitlines() if words[0] in line)
        not_shown(cluster, secret)
        say(f"{what}: {line[line.index('S3 '):][:260]}")
        cluster.stop()
