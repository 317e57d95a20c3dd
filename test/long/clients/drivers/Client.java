import com.google.gson.Gson;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import okhttp3.MediaType;
import okhttp3.MultipartBody;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okio.BufferedSink;
import okio.Okio;
import okio.Source;
import org.apache.http.HttpEntity;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.entity.ContentType;
import org.apache.http.entity.mime.HttpMultipartMode;
import org.apache.http.entity.mime.MultipartEntityBuilder;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/** Drives OkHttp or Apache's HttpClient through a list of jobs, see jobs.ts: Client.java CLIENT JOBS. */
public class Client {
  static class Job {
    String act, url, path, how, filename, out;
    long from;
    List<List<String>> fields;

    boolean posts() {
      return act.equals("post");
    }
  }

  interface Driver {
    Map<String, Object> run(Job job) throws Exception;
  }

  static Map<String, Object> result(int status, String body) {
    return Map.of("status", status, "body", body);
  }

  static void append(InputStream bytes, Job job) throws IOException {
    try (FileOutputStream out = new FileOutputStream(job.out, true)) {
      bytes.transferTo(out);
    }
  }

  /** OkHttp. */
  static class WithOkHttp implements Driver {
    static final MediaType BINARY = MediaType.parse("application/octet-stream");
    final OkHttpClient client = new OkHttpClient();

    public Map<String, Object> run(Job job) throws IOException {
      Request.Builder request = new Request.Builder().url(job.url);
      if (job.posts()) request.post(form(job));
      else if (job.from > 0) request.header("Range", "bytes=" + job.from + "-");
      try (okhttp3.Response response = client.newCall(request.build()).execute()) {
        if (job.posts()) return result(response.code(), response.body().string());
        append(response.body().byteStream(), job);
        return result(response.code(), "");
      }
    }

    static RequestBody form(Job job) {
      MultipartBody.Builder form = new MultipartBody.Builder().setType(MultipartBody.FORM);
      for (List<String> field : job.fields) form.addFormDataPart(field.get(0), field.get(1));
      File file = new File(job.path);
      RequestBody body = job.how.equals("stream") ? piped(file) : RequestBody.create(BINARY, file);
      return form.addFormDataPart("file", job.how.equals("noname") ? null : job.filename, body).build();
    }

    /** A file whose length nobody can know beforehand, like the output of another program. */
    static RequestBody piped(File file) {
      return new RequestBody() {
        public MediaType contentType() {
          return BINARY;
        }

        public void writeTo(BufferedSink sink) throws IOException {
          try (Source source = Okio.source(file)) {
            sink.writeAll(source);
          }
        }
      };
    }

    public String toString() {
      return "okhttp";
    }
  }

  /** Apache's HttpClient, in one of the modes of its multipart writer; STRICT is the default. */
  static class WithHttpClient implements Driver {
    final CloseableHttpClient client = HttpClients.createDefault();
    final HttpMultipartMode mode;

    WithHttpClient(HttpMultipartMode mode) {
      this.mode = mode;
    }

    public Map<String, Object> run(Job job) throws IOException {
      HttpUriRequest request = job.posts() ? post(job) : new HttpGet(job.url);
      if (job.from > 0) request.setHeader("Range", "bytes=" + job.from + "-");
      try (CloseableHttpResponse response = client.execute(request)) {
        int status = response.getStatusLine().getStatusCode();
        HttpEntity entity = response.getEntity();
        if (job.posts()) return result(status, entity == null ? "" : EntityUtils.toString(entity));
        append(entity.getContent(), job);
        return result(status, "");
      }
    }

    HttpPost post(Job job) throws IOException {
      MultipartEntityBuilder form = MultipartEntityBuilder.create().setMode(mode);
      if (mode == HttpMultipartMode.BROWSER_COMPATIBLE) form.setCharset(StandardCharsets.UTF_8);
      for (List<String> field : job.fields) form.addTextBody(field.get(0), field.get(1));
      ContentType binary = ContentType.DEFAULT_BINARY;
      switch (job.how) {
        case "noname":
          form.addBinaryBody("file", Files.readAllBytes(Path.of(job.path)));
          break;
        case "stream":
          form.addBinaryBody("file", new FileInputStream(job.path), binary, job.filename);
          break;
        default:
          form.addBinaryBody("file", new File(job.path), binary, job.filename);
      }
      HttpPost post = new HttpPost(job.url);
      post.setEntity(form.build());
      return post;
    }
  }

  static Driver driver(String name) {
    switch (name) {
      case "okhttp":
        return new WithOkHttp();
      case "httpmime":
        return new WithHttpClient(HttpMultipartMode.STRICT);
      case "httpmime-browser":
        return new WithHttpClient(HttpMultipartMode.BROWSER_COMPATIBLE);
      default:
        throw new IllegalArgumentException(name);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Gson gson = new Gson();
    Driver driver = driver(arguments[0]);
    List<Map<String, Object>> results = new ArrayList<>();
    for (Job job : gson.fromJson(Files.readString(Path.of(arguments[1])), Job[].class)) {
      try {
        results.add(driver.run(job));
      } catch (Exception error) {
        results.add(Map.of("error", error.toString()));
      }
    }
    System.out.println(gson.toJson(results));
    // OkHttp's idle connections have threads of their own.
    System.exit(0);
  }
}
