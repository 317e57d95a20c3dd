#!/bin/sh
# Compiles the test against the packages of Debian, and runs it. A Maven project needs no such script.
set -eu
cd "$(dirname "$0")"
jars=
for name in httpclient httpcore httpmime commons-logging commons-codec gson junit4 hamcrest; do
  jars=$jars:/usr/share/java/$name.jar
done
classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
javac -d "$classes" -cp "$jars" ./*.java
java -cp "$classes$jars" org.junit.runner.JUnitCore OtaTest
