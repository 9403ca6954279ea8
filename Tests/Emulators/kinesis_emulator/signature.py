"""Signature Version 4, checked as the service checks it, with its error names and the wording its users report.

Source: AWS "Create a signed AWS API request". All these answers have status 400 in Kinesis.
"""
import calendar
import hashlib
import hmac
import time
from urllib.parse import parse_qsl, quote

from .errors import ServiceError

TOLERANCE = 300      # seconds
MISMATCH = ("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. "
            "Consult the service documentation for details.")


class Credentials:
    def __init__(self, access_key, secret_key, session_token=None, expired=False):
        self.access_key, self.secret_key, self.session_token, self.expired = access_key, secret_key, session_token, expired


class Checker:
    """Knows the credentials; without any, nothing is checked."""

    def __init__(self, region, service="kinesis"):
        self.region, self.service = region, service
        self.known = {}              # access key: Credentials
        self.skew = 0                # seconds by which this server's clock is ahead of the machine's
        self._keys = {}              # (secret key, date): signing key

    def add(self, credentials):
        self.known[credentials.access_key] = credentials

    def check(self, method, target, headers, body):
        """Throws a ServiceError when the request would be refused. Header names are lower case."""
        if not self.known:
            return
        authorization = headers.get("authorization")
        if not authorization:
            raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
        fields, stamp = self._fields(authorization, headers)
        access_key, *scope = fields["Credential"].split("/")
        credentials = self.known.get(access_key)
        token = headers.get("x-amz-security-token")
        if credentials is None or token != credentials.session_token and not (credentials.expired and token):
            raise ServiceError("UnrecognizedClientException", "The security token included in the request is invalid.")
        if credentials.expired:
            raise ServiceError("ExpiredTokenException", "The security token included in the request is expired")
        self._check_scope(scope, stamp)
        self._check_time(stamp)
        canonical = canonical_request(method, target, headers, fields["SignedHeaders"], body)
        to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
        expected = hmac.new(self._key(credentials.secret_key, scope), to_sign.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, fields["Signature"]):
            raise ServiceError("InvalidSignatureException", f"{MISMATCH}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
                                                            f"The String-to-Sign should have been\n'{to_sign}'\n")

    def _fields(self, authorization, headers):
        algorithm, _, rest = authorization.partition(" ")
        fields = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        stamp = headers.get("x-amz-date") or headers.get("date")
        missing = [f"Authorization header requires '{name}' parameter." for name in ("Credential", "Signature", "SignedHeaders") if not fields.get(name)]
        if not stamp:
            missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        if algorithm != "AWS4-HMAC-SHA256":
            raise ServiceError("IncompleteSignatureException", f"Unsupported AWS 'algorithm': '{algorithm}'. Authorization={authorization}")
        if missing:
            raise ServiceError("IncompleteSignatureException", f"{' '.join(missing)} Authorization={authorization}")
        if len(fields["Credential"].split("/")) != 5:
            raise ServiceError("IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements, e.g. "
                                                               f"keyid/date/region/service/term, got '{fields['Credential']}'")
        return fields, stamp

    def _check_scope(self, scope, stamp):
        date, region, service, term = scope
        words = []
        if date != stamp[:8]:
            words.append("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                         f"'{date}' != '{stamp[:8]}', from '{stamp}'.")
        if region != self.region:
            words.append(f"Credential should be scoped to a valid region, not '{region}'.")
        if service != self.service:
            words.append(f"Credential should be scoped to correct service: '{self.service}'.")
        if term != "aws4_request":
            words.append("Credential should be scoped with a valid terminator: 'aws4_request'.")
        if words:
            raise ServiceError("InvalidSignatureException", " ".join(words))

    def _check_time(self, stamp):
        try:
            signed = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
        except ValueError:
            raise ServiceError("IncompleteSignatureException", f"Date must be in ISO-8601 'basic format'. Got '{stamp}'.") from None
        now = int(time.time() + self.skew)
        if signed < now - TOLERANCE:
            words = f"Signature expired: {stamp} is now earlier than {_stamp(now - TOLERANCE)} ({_stamp(now)} - 5 min.)"
            raise ServiceError("InvalidSignatureException", words)
        if signed > now + TOLERANCE:
            words = f"Signature not yet current: {stamp} is still later than {_stamp(now + TOLERANCE)} ({_stamp(now)} + 5 min.)"
            raise ServiceError("InvalidSignatureException", words)

    def _key(self, secret_key, scope):
        known = self._keys.get((secret_key, *scope))
        if known is None:
            known = ("AWS4" + secret_key).encode()
            for part in scope:
                known = hmac.new(known, part.encode(), hashlib.sha256).digest()
            self._keys[(secret_key, *scope)] = known
        return known


def canonical_request(method, target, headers, signed_headers, body):
    path, _, query = target.partition("?")
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(query, keep_blank_values=True))
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}" for name in signed_headers.split(";")]
    return "\n".join([method, quote(path or "/", safe="/-_.~%"), "&".join(f"{name}={value}" for name, value in pairs), *lines, "", signed_headers,
                      hashlib.sha256(body).hexdigest()])


def _stamp(seconds):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
