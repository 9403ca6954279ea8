// OpenSSL's digests and HMAC: request signatures of AWS, Content-MD5.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
