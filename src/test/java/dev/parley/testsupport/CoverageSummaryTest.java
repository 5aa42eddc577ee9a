package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CoverageSummaryTest {

    @Test
    void classes_areSummedUp() {
        List<String> csv =
                List.of(
                        "CLASS,BRANCH_MISSED,BRANCH_COVERED,LINE_MISSED,LINE_COVERED",
                        "Hub,2,6,5,90",
                        "Pump,0,0,0,105");

        assertThat(CoverageSummary.of(csv))
                .isEqualTo(
                        "Coverage: 97.5 % (195 of 200) of the lines,"
                                + " 75.0 % (6 of 8) of the branches");
    }
}
