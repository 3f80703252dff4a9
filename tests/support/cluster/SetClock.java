import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.cassandra.utils.Clock;

/** A node's clock, as wrong as a file says, in ms, while it runs: the file that the property clock.file names. */
public class SetClock implements Clock {
    private static final Path FILE = Path.of(System.getProperty("clock.file"));
    private static final long LOOK_EVERY_MS = 100;

    private volatile long offset;

    public SetClock() {
        Thread looks = new Thread(this::look, "clock");
        looks.setDaemon(true);
        looks.start();
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public long currentTimeMillis() {
        return System.currentTimeMillis() + offset;
    }

    private void look() {
        try {
            while (true) {
                offset = Long.parseLong(Files.readString(FILE).strip());
                Thread.sleep(LOOK_EVERY_MS);
            }
        } catch (IOException | InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }
}
