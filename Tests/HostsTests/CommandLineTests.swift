import Hosts
import Testing

struct CommandLineTests {
    @Test func propertiesMayBeJoinedAsFlinksManualWritesThem() {
        #expect(commandLineArguments(["-Drest.port=0", "--host", "h", "-D", "a=b", "-Dk=v=w"]) == ["-D", "rest.port=0", "--host", "h", "-D", "a=b", "-D", "k=v=w"])
        #expect(commandLineArguments(["-D", "-Dx", "D=1", "--D=2"]) == ["-D", "-Dx", "D=1", "--D=2"])
    }
}
