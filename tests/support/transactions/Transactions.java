import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Base64;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Java's own producer, told what to do on standard input, one command a line; each is answered with a line. */
public class Transactions {
    public static void main(String[] arguments) throws Exception {
        String topic = arguments[1];
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("transactional.id", arguments[2]);
        var commands = new BufferedReader(new InputStreamReader(System.in));
        try (var producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            System.out.println("done");
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                String[] words = line.split(" ");
                switch (words[0]) {
                    case "begin" -> producer.beginTransaction();
                    case "append" -> append(producer, topic, Integer.parseInt(words[1]), words);
                    case "commit" -> producer.commitTransaction();
                    case "abort" -> producer.abortTransaction();
                    default -> throw new IllegalArgumentException(line);
                }
                System.out.println("done");
            }
        }
    }

    private static void append(
            KafkaProducer<byte[], byte[]> producer, String topic, int partition, String[] words) {
        for (int at = 2; at < words.length; at++) {
            var record =
                    new ProducerRecord<byte[], byte[]>(
                            topic, partition, null, Base64.getDecoder().decode(words[at]));
            record.headers().add("partitions", new byte[] {'4'});
            producer.send(record);
        }
        producer.flush();
    }
}
