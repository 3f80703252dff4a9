import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Sends one request many times, as a stock client does: it offers HTTP/2 each time. Prints the status of each answer. */
public class JdkClient {

    /** Arguments: a URL, how often, none|length|chunked|expect, and headers as name and value; the body on standard input. */
    public static void main(String[] arguments) throws Exception {
        var client = HttpClient.newHttpClient();
        var body = System.in.readAllBytes();
        var request = HttpRequest.newBuilder(URI.create(arguments[0])).POST(publisher(arguments[2], body));
        request.expectContinue(arguments[2].equals("expect"));
        for (int i = 3; i < arguments.length; i += 2) {
            request.header(arguments[i], arguments[i + 1]);
        }
        var built = request.build();
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
            answers.add(client.sendAsync(built, BodyHandlers.ofString()));
        }
        for (var answer : answers) {
            System.out.println(answer.join().statusCode() + " " + answer.join().body());
        }
    }

    private static BodyPublisher publisher(String framing, byte[] body) {
        return switch (framing) {
            case "none" -> BodyPublishers.noBody();
            case "chunked" -> BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
            default -> BodyPublishers.ofByteArray(body);
        };
    }
}
