#!/bin/sh
# Tests against a gateway in test mode, only with curl and openssl.
set -eu
cd "$(dirname "$0")"

work=$(mktemp -d)
export OTA_GATEWAY_ACCESS_KEY_ID=testid OTA_GATEWAY_ACCESS_KEY_SECRET=testsecret
export OTA_GATEWAY_OSS_ACCESS_KEY_ID=bucketid OTA_GATEWAY_OSS_ACCESS_KEY_SECRET=bucketsecret
node_modules/.bin/ota-gateway serve --test-mode --port 0 --data-dir "$work/data" 2>"$work/log" >/dev/null &
gateway=$!
trap 'kill "$gateway" 2>/dev/null; wait "$gateway" || true; rm -rf "$work"' EXIT

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

url=
for _ in $(seq 100); do
  url=$(sed -n 's/^listening on //p' "$work/log")
  [ -n "$url" ] && break
  sleep 0.1
done
[ -n "$url" ] || fail "the gateway did not start: $(cat "$work/log")"
control=$url/_gateway/test

# expect TEXT COMMAND...: the output of the command must contain the text.
expect() {
  text=$1
  shift
  output=$("$@")
  case $output in
    *"$text"*) echo "ok: $text" ;;
    *) fail "expected $text, found: $output" ;;
  esac
}

# field NAME JSON: prints a text of a JSON response.
field() {
  printf %s "$2" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

# encode TEXT: percent-encodes as signatures require; only dates have special characters here.
encode() {
  printf %s "$1" | sed 's/%/%25/g; s/:/%3A/g; s/&/%26/g; s/=/%3D/g; s/+/%2B/g; s|/|%2F|g'
}

# Signs a call of the IoT API (signature version 1) and sends it.
generate_upload_url() {
  nonce=$(openssl rand -hex 16)
  timestamp=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  query="AccessKeyId=testid&Action=GenerateOTAUploadURL&FileSuffix=bin&Format=JSON&SignatureMethod=HMAC-SHA1&SignatureNonce=$nonce&SignatureVersion=1.0&Timestamp=$(encode "$timestamp")&Version=2018-01-20"
  signature=$(printf %s "GET&%2F&$(encode "$query")" | openssl dgst -sha1 -hmac 'testsecret&' -binary | openssl base64)
  curl -sS "$url/?$query&Signature=$(encode "$signature")"
}

# post RESPONSE: posts a file with the form of a response, and prints the status.
post() {
  curl -sS -o "$work/response" -w '%{http_code}' \
    -F "key=$(field Key "$1")" -F "policy=$(field Policy "$1")" \
    -F "OSSAccessKeyId=$(field OSSAccessKeyId "$1")" -F "signature=$(field Signature "$1")" \
    -F success_action_status=200 -F "file=@run.sh" "$url"
}

echo '# a file that is not claimed is purged after an hour'
grant=$(generate_upload_url)
expect 200 post "$grant"
expect '"state":"stored"' curl -sS "$control/snapshot"
expect '"purged":0' curl -sS -X POST "$control/purge"
expect '"frozen":false' curl -sS -d '{"minutes":61}' "$control/clock/advance"
expect '"purged":1' curl -sS -X POST "$control/purge"
expect '"purgeReason":"unclaimed"' curl -sS "$control/snapshot"

echo '# a form is valid for a minute'
expect '"uploads":[]' curl -sS -X POST "$control/reset"
grant=$(generate_upload_url)
curl -sS -o "$work/clock" -d '{"seconds":61}' "$control/clock/advance"
expect 403 post "$grant"
expect 'Policy expired' cat "$work/response"

echo '# faults look like real errors'
curl -sS -o "$work/clock" -X POST "$control/reset"
curl -sS -o "$work/fault" -d '{"operation":"GenerateOTAUploadURL","code":"Throttling.User"}' "$control/faults"
expect '"Code":"Throttling.User"' generate_upload_url
grant=$(generate_upload_url)
curl -sS -o "$work/fault" -d '{"operation":"PostObject","code":"InternalError","key":"*.bin"}' "$control/faults"
expect 500 post "$grant"
expect 200 post "$grant"
expect 'PostObject has no error' curl -sS -d '{"operation":"PostObject","code":"Nonsense"}' "$control/faults"

echo 'all good'
